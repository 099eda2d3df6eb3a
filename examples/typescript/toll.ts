// Tollkeeper's two sockets, as much of them as an orchestrator needs. The protocol: docs/protocol.md.

import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"
import { Dealer, Subscriber } from "zeromq"

export interface Limit {
  scope: string // "daily", "run", "stage:WORKFLOW/STAGE", …
  bound_usd: number | null
  used: number
  state: "under" | "warned" | "reached"
}

export interface Agent {
  id: string
  name: string
  pid: number
  state: "working" | "idle" | "waiting" | "paused" | "exited"
  workflow: string | null
  stage: string | null
  held: { kind: "paused" | "blocked" | "stopping"; since: string; reason: string } | null
  usage: { requests: number; total_tokens: number; cost_usd: number; value_usd: number }
}

export interface Status {
  sequence: number
  agents: Agent[]
  limits: Limit[]
}

export interface Admission {
  admitted: boolean
  why: string | null
  retry_at: string | null
  left_usd: number | null
}

export interface StageModels {
  stages: { stage: string; cheapest: string | null; models: { model: string; workflows: number }[] }[]
}

/** What updates may bear, as far as it is used here; a heartbeat names its agents by their ids alone. */
interface Update {
  sequence: number
  agent?: Agent
  agents?: (Agent | string)[]
  limits?: Limit[]
}

interface Reply<T> {
  id: string
  result?: T
  error?: { code: string; message: string; hint?: string }
}

/** What the daemon refuses, or that it does not answer. */
export class TollError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

/** Where the sockets are: as the daemon finds it, by TOLL_HOME or else the XDG directories. */
export function runDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.TOLL_HOME) return join(environment.TOLL_HOME, "run")
  const runtime = environment.XDG_RUNTIME_DIR ?? ""
  if (isAbsolute(runtime)) return join(runtime, "tollkeeper")
  const named = environment.XDG_STATE_HOME ?? ""
  const support = process.platform === "darwin" ? "Library/Application Support" : ".local/state"
  return join(isAbsolute(named) ? named : join(homedir(), support), "tollkeeper", "run")
}

/** Asks, one call after the other, and listens. */
export class Toll {
  private readonly socket: Dealer
  private last = 0
  private turn: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly run = runDirectory(),
    timeoutMs = 30_000,
  ) {
    this.socket = new Dealer({ linger: 0, receiveTimeout: timeoutMs, sendTimeout: timeoutMs })
    this.socket.connect(`ipc://${run}/control.sock`)
  }

  /** Whether a daemon has made its socket there. */
  get isThere(): boolean {
    return existsSync(join(this.run, "control.sock"))
  }

  /** Ask for a method of the protocol; TollError when it is refused, or nobody answers in time. */
  call<T>(method: string, params: object = {}): Promise<T> {
    const answer = this.turn.then(() => this.exchange<T>(method, params))
    this.turn = answer.catch(() => undefined)
    return answer
  }

  /**
   * Every update from now on. Begins with a status; where updates were missed, or the daemon was restarted,
   * a new status comes. Ends when `signal` is aborted.
   */
  async *follow(signal: AbortSignal): AsyncGenerator<Status> {
    const listener = new Subscriber({ linger: 0 })
    listener.connect(`ipc://${this.run}/updates.sock`)
    listener.subscribe() // To all: the sequence counts them all, and a gap would mean a loss.
    signal.addEventListener("abort", () => listener.close(), { once: true })
    // First subscribe, then ask: what happens in between comes as an update with a higher sequence.
    let status = await this.call<Status>("snapshot")
    yield status
    try {
      for await (const [, data] of listener) {
        const update: Update = JSON.parse(String(data))
        if (update.sequence <= status.sequence) continue
        const isNext = update.sequence === status.sequence + 1
        status = isNext ? applied(status, update) : await this.call<Status>("snapshot")
        yield status
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      if (!listener.closed) listener.close()
    }
  }

  close(): void {
    this.socket.close()
  }

  private async exchange<T>(method: string, params: object): Promise<T> {
    const id = String(++this.last)
    await this.socket.send(JSON.stringify({ id, method, params }))
    for (;;) {
      const [data] = await this.socket.receive().catch(() => {
        throw new TollError("no-answer", "the daemon does not answer: toll up")
      })
      const reply: Reply<T> = JSON.parse(String(data))
      if (reply.id !== id) continue // Of a call that was given up.
      if (reply.error) throw new TollError(reply.error.code, reply.error.message)
      return reply.result as T
    }
  }
}

/** The status after an update that is exactly the next one. */
function applied(status: Status, update: Update): Status {
  const named = update.agents ?? []
  const news = named.filter((each): each is Agent => typeof each !== "string")
  if (update.agent) news.push(update.agent)
  const ids = new Set(news.map((each) => each.id))
  const left = new Set(named.filter((each) => typeof each === "string"))
  const others = status.agents.filter((each) => !ids.has(each.id) && (!left.size || left.has(each.id)))
  return {
    sequence: update.sequence,
    agents: [...others, ...news],
    limits: update.limits ?? status.limits,
  }
}
