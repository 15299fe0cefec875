import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../lib/app-error.ts'
import { closingEvents } from '../../workflows/runs/workflow-run-ending.ts'
import type { WorkflowMessage } from '../../workflows/runs/workflow-event.ts'
import type { WorkflowRun } from '../../workflows/runs/workflow-run.ts'
import { success } from '../success-reply.ts'
import type { WireStyle } from './chat-body.ts'
import { DONE_FRAME, toJson } from './chat-frames.ts'
import { createChatflowFrames, entryBefore } from './chatflow-frames.ts'
import type { ChatflowFrame } from './chatflow-frames.ts'
import { chatflowAt, toChatflowMessage } from './chatflow-wire.ts'
import type { ChatflowStatus, WireChatflow } from './chatflow-wire.ts'
import { waysTo } from './workflow-reply.ts'
import type { StreamingServices } from './workflow-reply.ts'
import { debugUrlOf } from './workflow-wire.ts'

type ChatflowStream = {
  run: WorkflowRun
  style: WireStyle
  withIds: boolean
  /** A turn that begins here, or a reader who comes back and has all frames up to this one. */
  from: { turnAfter: number } | { frameId: number }
}

/** A chat with a workflow as a stream like those of `/v3/chat`, until it ends or waits. */
export async function sendChatflow(
  { followRun, streams, publicUrl }: StreamingServices,
  reply: FastifyReply,
  { run, style, withIds, from }: ChatflowStream,
): Promise<void> {
  const { openTurn, toFrames } = createChatflowFrames(run, { style, withIds })
  const cursor = 'turnAfter' in from ? from.turnAfter : entryBefore(from.frameId)
  const has = 'turnAfter' in from ? 0 : from.frameId
  const opening = 'turnAfter' in from || cursor === 0 ? openTurn(cursor) : []
  const textsOf = (frames: ChatflowFrame[]) => frames.filter(({ id }) => id > has).map(({ text }) => text)

  await streams.send(reply, async function* (signal) {
    yield textsOf(opening)
    let isDone = false
    for await (const entries of followRun({ runId: run.id, cursor, signal })) {
      yield textsOf(entries.flatMap(toFrames))
      isDone = entries.at(-1)?.last === true
    }
    if (!signal.aborted || isDone) yield [doneFrame(style, debugUrlOf(publicUrl, run))]
  })
}

const doneFrame = (style: WireStyle, debugUrl: string): string =>
  style === 'guide' ? DONE_FRAME : `event: done\ndata: ${toJson({ debug_url: debugUrl })}\n\n`

export type FinishedChatflow = { run: WorkflowRun; cursor: number }

/** The guide's whole answer: envelope and flat keys in one body. `message` is the last of what this turn has said. */
export async function toChatflowAnswer(
  request: FastifyRequest,
  { followRun }: Pick<StreamingServices, 'followRun'>,
  { run, cursor }: FinishedChatflow,
) {
  if (run.status === 'queued' || run.status === 'running')
    throw new AppError('unavailable', 'the server is stopping: the chat goes on soon, follow its stream')
  const chat = toChatflow(run)
  const place = { conversation_id: chat.conversation_id, execute_id: run.id }
  if (run.error) throw new AppError('run_failed', run.error.message, { details: { data: chat, ...place } })

  const said: WorkflowMessage[] = []
  for await (const entries of followRun({ runId: run.id, cursor, signal: new AbortController().signal })) {
    for (const { event } of entries)
      if (event.type === 'message' && event.isLast) said.push({ ...event, content: event.whole ?? event.content })
  }
  const messages = said.map((event) => toChatflowMessage(run, event))
  return success(request, chat, { ...place, message: messages.at(-1) ?? emptyMessage(run), messages })
}

function emptyMessage(run: WorkflowRun) {
  return toChatflowMessage(run, { type: 'message', nodeId: '', nodeType: '', nodeTitle: '', seq: 0, content: '', isLast: true })
}

/** As it is now. */
function toChatflow(run: WorkflowRun): WireChatflow {
  return chatflowAt(run, STATUSES[run.status], closingEvents(run).at(-1))
}

const STATUSES: Record<WorkflowRun['status'], ChatflowStatus> = {
  queued: 'created',
  running: 'in_progress',
  waiting: 'requires_action',
  succeeded: 'completed',
  failed: 'failed',
  canceled: 'canceled',
}

/** 202: the chat goes on; here is where its state and its stream are. */
export function replyWithRunning(request: FastifyRequest, reply: FastifyReply, run: WorkflowRun) {
  const { location, stream_url } = waysTo(run)
  reply.code(202).header('location', location).header('preference-applied', 'respond-async')
  const chat = chatflowAt(run, 'in_progress')
  return success(request, chat, { conversation_id: chat.conversation_id, execute_id: run.id, location, stream_url })
}
