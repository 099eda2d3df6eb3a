// Runs one stage of a workflow, with Tollkeeper's leave and under its eye:
//
//     node dist/orchestrator.js .claude-4nq plan "Plan it, step by step." --usd 2 --extra 1
//
// It asks whether there is budget and plan for one more agent, and waits until there is; takes the model that has
// been the cheapest for this stage; bounds and labels the stage; and watches it. When its budget is spent the agent is
// paused, and gets a little more, once; the next time it is stopped, and the stage has failed.

import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { Admission, Agent, Limit, StageModels, Status, Toll, TollError } from "./toll.js"

const LOOK_MS = 5_000
const LONGEST_LOOK_MS = 60_000

interface Stage {
  workflow: string
  stage: string
  order: string
  usd: number
  extra: number
}

/** Wait until one more agent may start. Nothing is set aside: who starts many at once asks before each. */
async function admitted(toll: Toll, stage: Stage): Promise<void> {
  for (;;) {
    const { workflow, stage: name, usd } = stage
    const answer = await toll.call<Admission>("admit", { workflow, stage: name, usd })
    if (answer.admitted) return say(`there is room: ${left(answer)}`)
    say(`not now: ${answer.why}${answer.retry_at ? `; again at ${answer.retry_at}` : ""}`)
    const until = answer.retry_at ? Date.parse(answer.retry_at) - Date.now() : 0
    await sleep(Math.min(Math.max(until, LOOK_MS), LONGEST_LOOK_MS))
  }
}

/** The model that has been the cheapest for stages of this name; undefined where none is known. */
async function cheapest(toll: Toll, stage: string): Promise<string | undefined> {
  const { stages } = await toll.call<StageModels>("workflow.models", { stage })
  return stages[0]?.cheapest ?? undefined
}

/** Run the agent of the stage; whether it did well. */
async function run(toll: Toll, stage: Stage, model: string | undefined): Promise<boolean> {
  const labels = { TOLL_WORKFLOW: stage.workflow, TOLL_STAGE: stage.stage, TOLL_AGENT: stage.stage }
  const choice = model ? ["--model", model] : []
  const child = spawn("claude", ["-p", stage.order, ...choice], {
    env: { ...process.env, ...labels },
    stdio: ["ignore", "inherit", "inherit"],
  })
  const watching = new AbortController()
  const watch = oversee(toll, stage, child.pid, watching.signal)
  try {
    const [status] = (await once(child, "exit")) as [number | null]
    return status === 0
  } finally {
    watching.abort()
    await watch
  }
}

/** See what becomes of the agent with this pid until it has ended. */
async function oversee(
  toll: Toll,
  stage: Stage,
  pid: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  let decided = "" // What was decided on last, so that nothing is decided twice.
  for await (const status of toll.follow(signal)) {
    if (!pausedAgent(status, pid)) continue
    // An agent is paused first, and told of then; and updates that wait may tell of what we did ourselves.
    const now = await toll.call<Status>("snapshot")
    const agent = pausedAgent(now, pid)
    const bound = limitOf(now, stage)
    const hold = `${agent?.held?.since} ${bound?.bound_usd}`
    if (agent && hold !== decided) {
      decided = hold
      await decide(toll, stage, agent, bound)
    }
  }
}

function pausedAgent(status: Status, pid: number | undefined): Agent | undefined {
  return status.agents.find((each) => each.pid === pid && each.held?.kind === "paused")
}

async function decide(toll: Toll, stage: Stage, agent: Agent, bound: Limit | undefined): Promise<void> {
  if (bound?.state !== "reached") {
    say(`${agent.name} is paused, but not by its stage's budget: decide by hand`)
  } else if (bound.bound_usd === stage.usd) {
    say(`${agent.name} is paused at the stage's budget: $${stage.extra} more, once`)
    await toll.call("resume", { agents: [agent.id], add_usd: stage.extra })
  } else {
    say(`${agent.name} is paused at the stage's budget again: stopped`)
    await toll.call("stop", { agents: [agent.id] })
  }
}

function limitOf(status: Status, stage: Stage): Limit | undefined {
  return status.limits.find((each) => each.scope === `stage:${stage.workflow}/${stage.stage}`)
}

async function lead(toll: Toll, stage: Stage): Promise<boolean> {
  const { workflow, stage: name, usd } = stage
  await toll.call("limit.set", { workflow, stage: name, usd, action: "pause" })
  await admitted(toll, stage)
  const model = await cheapest(toll, name)
  say(`model: ${model ?? "the client's own"}`)
  // An id of our own makes it the same stage when it is said again.
  const mark = { workflow, stage: name, role: name, id: randomUUID() }
  await toll.call("workflow.stage", { ...mark, event: "start" })
  let isDone = false
  try {
    isDone = await run(toll, stage, model)
  } finally {
    await toll.call("workflow.stage", { ...mark, event: "end", status: isDone ? "completed" : "failed" })
  }
  await show(toll, stage)
  return isDone
}

async function show(toll: Toll, stage: Stage): Promise<void> {
  interface Row {
    stage: string | null
    requests: number
    total_tokens: number
    cost_usd: number
    status: string | null
  }
  const { stages } = await toll.call<{ stages: Row[] }>("workflow.show", { workflow: stage.workflow })
  const row = stages.find((each) => each.stage === stage.stage)
  if (row) say(`${row.stage}: ${row.requests} requests, $${row.cost_usd.toFixed(4)}, ${row.status}`)
}

function left(answer: Admission): string {
  return answer.left_usd === null ? "nothing limits it" : `$${answer.left_usd.toFixed(2)} left`
}

function say(text: string): void {
  console.log(text)
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Exit status: 0 completed, 1 failed, 2 not said well, 3 no daemon, 127 no client. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      usd: { type: "string", default: "2" },
      extra: { type: "string", default: "1" },
    },
  })
  const [workflow, stage, order] = positionals
  if (!workflow || !stage || !order) {
    console.error("usage: orchestrator WORKFLOW STAGE ORDER [--usd N] [--extra N]")
    return 2
  }
  if (!isOnPath("claude")) {
    console.error("orchestrator: claude is not on the PATH")
    return 127
  }
  const toll = new Toll()
  try {
    if (!toll.isThere) throw new TollError("no-answer", "no daemon is running: toll up")
    const task = { workflow, stage, order, usd: Number(values.usd), extra: Number(values.extra) }
    return (await lead(toll, task)) ? 0 : 1
  } catch (error) {
    if (!(error instanceof TollError)) throw error
    console.error(`orchestrator: ${error.message}`)
    return error.code === "no-answer" ? 3 : 1
  } finally {
    toll.close()
  }
}

process.exitCode = await main()
