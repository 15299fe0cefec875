import type { z } from 'zod'

type AnyMessage = { role: string; tool_call_id?: string; tool_calls?: { id: string }[] | null }

/** Providers refuse a conversation in which a call has no result, or a result no call: here the message that is wrong is named. */
export function checkToolMessages(messages: AnyMessage[], context: z.core.$RefinementCtx): void {
  const refuse = (index: number, message: string) => context.addIssue({ code: 'custom', path: [index], message })
  let open: string[] = []

  for (const [index, message] of messages.entries()) {
    const { tool_call_id: id } = message
    if (id !== undefined) {
      if (!open.includes(id)) return refuse(index, 'a tool message must answer one of the tool_calls right before it')
      open = open.filter((each) => each !== id)
      continue
    }
    if (open.length > 0) return refuse(index, `${open.join(', ')} must be answered by tool messages before this message`)
    open = (message.tool_calls ?? []).map((call) => call.id)
  }
  if (open.length > 0) refuse(messages.length - 1, `${open.join(', ')} must be answered by tool messages`)
}
