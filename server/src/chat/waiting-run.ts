import { z } from 'zod'
import type { ModelMessage, ModelToolCall } from '../models/model-adapter.ts'
import type { AgentOutcome } from './agent-loop.ts'
import type { RunPlan } from './execute-run.ts'

/** What a run that waits for its caller's tool outputs needs to go on, in any process, days later. */
export type WaitingRun = Pick<RunPlan, 'input' | 'hasHistory' | 'firstMessageId' | 'variables' | 'parameters' | 'functions' | 'stream'> & {
  calls: ModelToolCall[]
  turn: ModelMessage[]
  rounds: number
}

export function toWaiting(plan: RunPlan, { calls, turn, rounds }: Extract<AgentOutcome, { status: 'requires_action' }>): string {
  const { input, hasHistory, firstMessageId, variables, parameters, functions, stream } = plan
  const waiting: WaitingRun = { input, hasHistory, firstMessageId, variables, parameters, functions, stream, calls, turn, rounds }
  return JSON.stringify(waiting)
}

// written by toWaiting: the cast is the parser
export const parseWaiting = (json: string): WaitingRun => JSON.parse(json) as WaitingRun

const callsSchema = z.object({ calls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })) })

/** Only the calls; none when the run does not wait. */
export const parseWaitingCalls = (json: string): ModelToolCall[] => (json === '' ? [] : callsSchema.parse(JSON.parse(json)).calls)
