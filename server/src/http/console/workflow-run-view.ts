import type { NodeState as StoredState, WorkflowRunSummary } from '../../workflows/runs/run-history-store.ts'
import type { NodeRecord as StoredRecord } from '../../workflows/engine/progress.ts'
import type { WaitingEvent as StoredEvent } from '../../workflows/engine/waiting-event.ts'
import type { WorkflowRun as StoredRun } from '../../workflows/runs/workflow-run.ts'
import { storeValue } from '../../workflows/values/value.ts'
import type { NodeRecord, NodeState, WaitingEvent, WorkflowRun, WorkflowRunItem } from './workflow-run-wire.ts'

/** Runs of workflows as the console's pages have them. */
export function toRunItem(run: WorkflowRunSummary): WorkflowRunItem {
  return {
    ...{ id: run.id, workflow_id: run.workflowId, version: run.version, status: run.status, mode: run.mode, end_user: run.endUser },
    error: run.error ?? null,
    usage: toTotals(run.usage),
    ...{ created_at: run.createdAt, finished_at: run.finishedAt || null },
  }
}

export function toRun(run: StoredRun): WorkflowRun {
  return {
    ...toRunItem(run),
    ...{ only_node: run.onlyNode ?? null, conversation_id: run.chat?.conversationId ?? null },
    ...{ input: storeValue(run.parameters), output: run.output, is_answer: run.isAnswer },
    // one that was answered is still there until the run has gone on
    waiting: run.status === 'waiting' ? run.waiting.map((event) => toWaitingEvent(run, event)) : [],
    log_id: run.logId,
  }
}

const QUESTION = 2

function toWaitingEvent(run: StoredRun, { id, nodeId, nodeTitle, type, data }: StoredEvent): WaitingEvent {
  return { event_id: `${run.id}/${id}`, node_id: nodeId, node_title: nodeTitle, type: type === QUESTION ? 'question' : 'input', data }
}

export function toNodeState(node: StoredState): NodeState {
  return {
    ...{ path: node.path, node_id: node.nodeId, node_type: node.nodeType, title: node.title, state: node.state },
    ...{ started_at: node.startedAt, finished_at: node.finishedAt || null },
    ...{ usage: toTotals(node.usage), attempts: node.attempts, error: node.error ?? null },
  }
}

/** Of each of inputs and outputs. */
const SHOWN_CHARS = 20_000

export function toNodeRecord(node: StoredRecord, shownChars = SHOWN_CHARS): NodeRecord {
  const [inputs, outputs] = [storeValue(node.inputs), storeValue(node.outputs)]
  return {
    ...toNodeState(node),
    ...{ inputs: inputs.slice(0, shownChars), outputs: outputs.slice(0, shownChars) },
    is_cut: Math.max(inputs.length, outputs.length) > shownChars,
    ...{ port: node.port, warnings: node.warnings },
  }
}

const toTotals = ({ inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }) => ({
  ...{ input_tokens: inputTokens, output_tokens: outputTokens },
})
