#!/bin/sh
# Leads a piece of work through its stages, each a run of `claude -p` under `toll exec`; stops when one fails.
#
#     orchestrate.sh .claude-4nq "Let the shop take tips"
#
# An agent that has spent its stage's budget is stopped, so its stage fails. BUDGET_USD is that of each.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: orchestrate.sh WORKFLOW WORK" >&2
    exit 2
fi
workflow=$1 work=$2

# stage NAME ROLE ORDER: prints what the agent says.
stage() {
    toll exec --workflow "$workflow" --stage "$1" --agent "$2" -- \
        claude -p "You are the $2. $3 The work: $work"
}

finish() {
    status=$?
    trap - EXIT INT TERM
    if [ $status -eq 0 ]; then how=completed; else how=failed; fi
    toll workflow end "$workflow" --status $how
    toll workflow show "$workflow"
    exit $status
}

toll workflow start "$workflow" --path full
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for name in analyze plan implement review; do
    toll limit set --workflow "$workflow" --stage $name --usd "${BUDGET_USD:-2}" --action stop
done

found=$(stage analyze analyst "Find out what it takes.")
plan=$(stage plan planner "Plan it, step by step. It was found out: $found")
stage implement implementer "Implement it by this plan: $plan"
stage review reviewer "Review what was implemented by this plan: $plan"
