"""A home directory of a client's own, made ready so that it asks for nothing at its first start."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

API_KEY = "test-key-0123456789-0123456789"

_FAR_AHEAD_MS = 4_000_000_000_000
_ALLOWED = {"permissions": {"allow": ["Bash", "Agent"]}}


class Subscription(Struct, frozen=True):
    """A made-up subscription to run on in the place of an API key."""

    account: str = "00000000-0000-4000-8000-000000000001"
    organization: str = "00000000-0000-4000-8000-000000000002"
    email: str = "dev@example.com"
    plan: str = "max"
    tier: str = "default_claude_max_20x"


class Home:
    """The directories; their paths are short, since the client puts sockets below them."""

    def __init__(self, subscription: Subscription | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="tk", dir="/tmp")).resolve()
        self.config_dir = self.path / ".claude"
        self.cwd = self.path / "shop"
        self.tmp = self.path / "t"
        for directory in (self.config_dir, self.cwd, self.tmp):
            directory.mkdir()
        self.subscription = subscription
        self._write_state()
        self.configure(_ALLOWED)
        if subscription:
            self._write_credentials(subscription)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Lay the settings over those in settings.json."""
        path = self.config_dir / "settings.json"
        old: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**old, **settings}))

    def add_agent(self, name: str, model: str) -> None:
        """Define a subagent of the project, which runs on the model."""
        directory = self.cwd / ".claude" / "agents"
        directory.mkdir(parents=True, exist_ok=True)
        head = f"---\nname: {name}\ndescription: The {name}.\nmodel: {model}\n---\n"
        (directory / f"{name}.md").write_text(f"{head}You are the {name}.\n")

    def environment(self, url: str) -> dict[str, str]:
        """Everything that the client is given; no request of its leaves the machine."""
        environment = {
            "HOME": str(self.path),
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "CLAUDE_CONFIG_DIR": str(self.config_dir),
            "CLAUDE_CODE_TMPDIR": str(self.tmp),
            "IS_SANDBOX": "1",
            "ANTHROPIC_BASE_URL": url,
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
            "HTTPS_PROXY": url,  # the stand-in refuses and notes whatever would go elsewhere
            "NO_PROXY": "127.0.0.1,localhost",
        }
        return environment if self.subscription else {**environment, "ANTHROPIC_API_KEY": API_KEY}

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _write_state(self) -> None:
        state: dict[str, Any] = {
            "hasCompletedOnboarding": True,
            "theme": "dark",
            "projects": {str(self.cwd): {"hasTrustDialogAccepted": True}},
            "customApiKeyResponses": {"approved": [API_KEY[-20:]], "rejected": []},
        }
        if self.subscription:
            state["oauthAccount"] = {
                "accountUuid": self.subscription.account,
                "organizationUuid": self.subscription.organization,
                "emailAddress": self.subscription.email,
                "billingType": "stripe_subscription",
            }
        (self.config_dir / ".claude.json").write_text(json.dumps(state))

    def _write_credentials(self, subscription: Subscription) -> None:
        credentials = {
            "accessToken": "made-up",
            "refreshToken": "made-up",
            "expiresAt": _FAR_AHEAD_MS,
            "scopes": ["user:inference", "user:profile"],
            "subscriptionType": subscription.plan,
            "rateLimitTier": subscription.tier,
        }
        path = self.config_dir / ".credentials.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"claudeAiOauth": credentials}))
