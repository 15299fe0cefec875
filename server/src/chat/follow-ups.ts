import type { AgentJob } from './agent-loop.ts'
import type { AnswerWriter } from './answer-writer.ts'

/** Questions that the user may want to ask next: a convenience, so it may take only so long and never fails a chat. */
const PATIENCE_MS = 10_000
const SUGGESTIONS = 3
const REQUEST =
  'Suggest three short questions that the user might ask next, in the language of the conversation. Answer with the questions alone, one on each line, without numbers.'

export type FollowUpDeps = { onError: (cause: unknown) => void }

export async function suggestReplies(
  { onError }: FollowUpDeps,
  job: AgentJob,
  { answer, signal }: { answer: AnswerWriter; signal: AbortSignal },
): Promise<void> {
  const given = answer.finishAnswer()
  let text = ''
  try {
    const { usage } = await job.model.answer(
      {
        messages: [...job.opening, { role: 'assistant', content: given?.content ?? '' }, { role: 'user', content: REQUEST }],
        parameters: { ...job.parameters, responseFormat: undefined },
        endUser: job.endUser,
      },
      {
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
        stream: false,
        onChunk: (chunk) => {
          if (chunk.type === 'text') text += chunk.text
        },
      },
    )
    answer.addUsage(usage)
  } catch (cause) {
    signal.throwIfAborted()
    onError(cause)
    return
  }
  for (const question of questionsIn(text)) answer.add('follow_up', question)
}

function questionsIn(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/^\s*(?:[-*•]|\d+[.)、])\s*/, '').trim())
  return lines.filter((line) => line !== '' && line.length <= 300).slice(0, SUGGESTIONS)
}
