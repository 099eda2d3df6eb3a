"""``health``: what ``toll doctor`` looks at."""

from typing import Any

from tollkeeper_daemon.daemon import Daemon


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """How the daemon hears and reads, and what it could not read."""
    prices, unpriced = daemon.pipeline.prices, daemon.pipeline.unpriced_models
    return {
        "homes": [
            {
                "path": str(home.path),
                "exists": home.path.is_dir(),
                "projects": home.projects.is_dir(),
                "sessions": home.sessions.is_dir(),
            }
            for home in daemon.followed.homes
        ],
        "watcher": daemon.watcher.kind,
        "logs": len(daemon.marks),
        "failing": daemon.failing,
        "bad_lines": daemon.pipeline.bad_lines,
        "bad_session_files": sorted(daemon.census.bad_files),
        "bad_stats_caches": sorted(daemon.stats_caches.bad),
        "unpriced_models": sorted(model for model in unpriced if not prices.knows(model)),
        "outdated_guesses": sorted(filter(prices.knows, unpriced)),
        "audit": daemon.auditor.counts(),
    }
