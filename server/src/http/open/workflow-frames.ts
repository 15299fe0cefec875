import type { JournalEntry } from '../../journal/journal-store.ts'
import type { WorkflowEvent, WorkflowMessage } from '../../workflows/runs/workflow-event.ts'
import type { WorkflowRun, WorkflowRunError } from '../../workflows/runs/workflow-run.ts'
import { toJson } from './chat-frames.ts'
import { canceledError, nodeTypeName, toInterrupt, toUsage } from './workflow-wire.ts'

/**
 * The bytes of a workflow's stream. Exactly three lines an event (`id`, `event`, `data`) and a blank one: the official Python SDK
 * breaks on anything else. Ids begin with 0 after the entry `numberedFrom`.
 */
export type WorkflowFrameOptions = { debugUrl: string; numberedFrom: number }

export function createWorkflowFrames(
  run: Pick<WorkflowRun, 'id'>,
  { debugUrl, numberedFrom }: WorkflowFrameOptions,
): (entry: JournalEntry<WorkflowEvent>) => string {
  return ({ seq, event }) => {
    const { name, data } = toWireEvent(run, event, debugUrl)
    return `id: ${seq - numberedFrom - 1}\nevent: ${name}\ndata: ${toJson(data)}\n\n`
  }
}

function toWireEvent({ id }: Pick<WorkflowRun, 'id'>, event: WorkflowEvent, debugUrl: string): { name: string; data: object } {
  switch (event.type) {
    case 'message':
      return { name: 'Message', data: toWireMessage(event) }
    case 'waiting':
      return {
        name: 'Interrupt',
        data: { interrupt_data: toInterrupt(id, event.event), node_title: event.event.nodeTitle, debug_url: debugUrl },
      }
    case 'failed':
      return { name: 'Error', data: toWireError(event.error, debugUrl) }
    case 'canceled':
      return { name: 'Error', data: toWireError(canceledError, debugUrl) }
    case 'succeeded': {
      const usage = toUsage(event.usage)
      return { name: 'Done', data: { debug_url: debugUrl, token: usage.token_count, cost: '0', usage } }
    }
  }
}

function toWireMessage({ content, nodeTitle, seq, isLast, nodeId, nodeType }: WorkflowMessage): object {
  return {
    content,
    content_type: 'text',
    node_title: nodeTitle,
    node_seq_id: String(seq),
    node_is_finish: isLast,
    node_id: nodeId,
    node_type: nodeTypeName(nodeType),
  }
}

const toWireError = ({ code, message }: WorkflowRunError, debugUrl: string) => ({
  error_code: code,
  error_message: message,
  debug_url: debugUrl,
})
