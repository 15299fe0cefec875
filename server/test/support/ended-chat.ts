import { setTimeout as sleep } from 'node:timers/promises'
import type { Json, TestApp } from './test-app.ts'

/** The chat as it is when it has ended or waits. */
export async function ended(app: TestApp, { id, conversation_id }: Json): Promise<Json> {
  for (let tries = 0; tries < 500; tries++) {
    const { body } = await app.call('GET', `/v3/chat/retrieve?conversation_id=${conversation_id}&chat_id=${id}`)
    if (!['created', 'in_progress'].includes(body.data.status)) return body.data
    await sleep(20)
  }
  throw new Error('the chat does not end')
}

/** What it has produced so far. */
export async function messagesOf(app: TestApp, { id, conversation_id }: Json): Promise<{ type: string; content: string }[]> {
  const { body } = await app.call('GET', `/v3/chat/message/list?conversation_id=${conversation_id}&chat_id=${id}`)
  return body.data
}
