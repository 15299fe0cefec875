import type { ModelAdapter, ModelMessage, ModelParameters, ModelTool, ModelToolCall } from '../models/model-adapter.ts'
import { ModelError } from '../models/model-adapter.ts'
import type { AnswerWriter } from './answer-writer.ts'
import type { ServerTool } from '../tools/server-tool.ts'
import type { CutReason } from './chat-event.ts'
import { collectToolCalls } from '../models/tool-calls.ts'

/**
 * Prompt, model, tools, and again: until the model answers without calling a tool, or calls one
 * that only the caller can execute.
 */
export type AgentJob = {
  model: ModelAdapter
  parameters: ModelParameters
  endUser: string | undefined
  /** The prompt, the history and this turn's question. */
  opening: ModelMessage[]
  /** What has happened since the question: calls of the model and their results. */
  turn: ModelMessage[]
  /** Rounds that are used up already. */
  rounds: number
  serverTools: ServerTool[]
  /** Functions that the caller executes. */
  clientTools: ModelTool[]
  stream: boolean
}

export type AgentOutcome =
  { status: 'completed'; cut?: CutReason } | { status: 'requires_action'; calls: ModelToolCall[]; turn: ModelMessage[]; rounds: number }

/** After so many rounds with tools the model has to answer without. */
const MAX_ROUNDS = 10
const MAX_CALLS_PER_ROUND = 16

export async function runAgent(job: AgentJob, answer: AnswerWriter, signal: AbortSignal): Promise<AgentOutcome> {
  const turn = [...job.turn]
  const tools = [...job.serverTools.map(({ name, description, parameters }) => ({ name, description, parameters })), ...job.clientTools]

  for (let rounds = job.rounds; ; rounds++) {
    const { calls, cut } = await askModel({ ...job, turn }, rounds < MAX_ROUNDS ? tools : [], { answer, signal })
    if (calls.length === 0) return { status: 'completed', cut }

    const said = answer.finishAnswer()
    turn.push({ role: 'assistant', content: said?.content ?? '', toolCalls: calls })
    for (const call of calls) answer.add('function_call', describeCall(call))

    const waiting = calls.filter((call) => job.clientTools.some((tool) => tool.name === call.name))
    const results = await Promise.all(calls.filter((call) => !waiting.includes(call)).map((call) => execute(job.serverTools, call, signal)))
    for (const result of results) {
      turn.push(result)
      answer.add('tool_response', result.content)
    }
    if (waiting.length > 0) return { status: 'requires_action', calls: waiting, turn, rounds: rounds + 1 }
  }
}

type Asking = { answer: AnswerWriter; signal: AbortSignal }
type Answered = { calls: ModelToolCall[]; cut: CutReason | undefined }

async function askModel(job: AgentJob, tools: ModelTool[], { answer, signal }: Asking): Promise<Answered> {
  const fragments = collectToolCalls()
  const { usage, finishReason } = await job.model.answer(
    {
      messages: [...job.opening, ...job.turn],
      parameters: job.parameters,
      endUser: job.endUser,
      tools: tools.length > 0 ? tools : undefined,
    },
    {
      signal,
      stream: job.stream,
      onChunk(chunk) {
        if (chunk.type === 'tool_call') return fragments.add(chunk)
        answer.write(chunk)
      },
    },
  )
  answer.addUsage(usage)
  // a call nobody asked for cannot be executed
  const calls = tools.length > 0 ? fragments.calls() : []
  if (calls.length > MAX_CALLS_PER_ROUND)
    throw new ModelError('garbage', `the model called ${calls.length} tools at once: at most ${MAX_CALLS_PER_ROUND} are executed`)
  return { calls, cut: finishReason === 'length' || finishReason === 'content_filter' ? finishReason : undefined }
}

async function execute(tools: ServerTool[], call: ModelToolCall, signal: AbortSignal): Promise<ModelMessage & { role: 'tool' }> {
  const tool = tools.find((each) => each.name === call.name)
  const result = tool ? await tool.call(call.arguments, { signal }) : { content: `there is no tool named ${call.name}`, isError: true }
  signal.throwIfAborted()
  return { role: 'tool', toolCallId: call.id, content: result.isError ? `Error: ${result.content}` : result.content }
}

/** As Coze writes a call into a message. */
function describeCall({ id, name, arguments: args }: ModelToolCall): string {
  return JSON.stringify({ id, name, arguments: parseArguments(args) })
}

function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text || '{}')
  } catch {
    return text
  }
}
