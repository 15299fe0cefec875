import type { RunLog } from '../../journal/journal.ts'
import { createTextBuilder } from '../../lib/text-builder.ts'
import type { TextBuilder } from '../../lib/text-builder.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeMessage } from '../engine/run-environment.ts'
import type { WaitingEvent } from '../engine/waiting-event.ts'
import { toChatQuestion } from './chat-question.ts'
import type { WorkflowEvent } from './workflow-event.ts'

/** Whole messages of a chatflow's run; they become messages of its conversation. */
export type SaidMessage = { id: string; text: string; contentType: 'text' | 'card' }

/** Of one message: its last part may have it twice, and is one row of the journal. */
const MAX_CHARS = 2_000_000

/** Puts what nodes say into the run's log. */
export interface RunSpeaker {
  say(message: NodeMessage): void
  /** In a chatflow's run: asks, in words for people. */
  ask(event: WaitingEvent): void
  /** What was said to its end since the run began or was last answered. */
  readonly said: SaidMessage[]
}

/** With `nextId` every message gets an id: of a chatflow's run. `before` is what an earlier life of it has said. */
export function createRunSpeaker(log: RunLog<WorkflowEvent>, nextId: (() => string) | undefined, before: SaidMessage[]): RunSpeaker {
  const counts = new Map<string, number>()
  const open = new Map<string, { id: string; chars: number; text: TextBuilder }>()
  const said = [...before]

  function toChatPart({ path, content, isLast }: NodeMessage): { messageId: string; whole?: string } | undefined {
    if (!nextId) return undefined
    const message = open.get(path) ?? { id: nextId(), chars: 0, text: createTextBuilder() }
    message.chars += JSON.stringify(content).length
    if (message.chars > MAX_CHARS)
      throw new NodeError(nodeErrors.executionFailed, `a message of a chat may have at most ${MAX_CHARS} characters`)
    message.text.add(content)
    open.set(path, message)
    if (!isLast) return { messageId: message.id }

    open.delete(path)
    const whole = message.text.take()
    said.push({ id: message.id, text: whole, contentType: 'text' })
    return { messageId: message.id, whole }
  }

  return {
    said,
    ask({ nodeId, nodeType, nodeTitle, ...event }) {
      if (!nextId) return
      const { text, contentType } = toChatQuestion({ nodeId, nodeType, nodeTitle, ...event })
      const messageId = nextId()
      said.push({ id: messageId, text, contentType })
      log.append({ type: 'message', nodeId, nodeType, nodeTitle, seq: 0, content: text, isLast: true, messageId, whole: text, contentType })
    },
    say(message) {
      const { nodeId, nodeType, title, content, isLast } = message
      const seq = counts.get(nodeId) ?? 0
      counts.set(nodeId, seq + 1)
      log.append({ type: 'message', nodeId, nodeType, nodeTitle: title, seq, content, isLast, ...toChatPart(message) })
    },
  }
}
