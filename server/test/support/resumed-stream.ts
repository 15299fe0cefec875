import { openStream } from './live-stream.ts'
import type { LiveStream } from './live-stream.ts'
import type { Frame } from './sse-frames.ts'
import type { Json, TestApp } from './test-app.ts'

/** A client that comes back for the rest of a chat. */
export type Reader = Pick<TestApp, 'url' | 'apiKey'>
export type Style = 'guide' | 'sdk'

/** The two ways of a client to be sent numbered events and to say which it has. */
export const STYLES: Style[] = ['guide', 'sdk']

const bodies = {
  guide: { bot_id: 123456, query: 'hi', stream: true },
  sdk: { bot_id: '123456', stream: true, additional_messages: [{ role: 'user', content: 'hi', content_type: 'text' }] },
}

/** Starts a chat whose events are numbered. */
export const openChat = (app: Reader, style: Style, more: object = {}): Promise<LiveStream> =>
  openStream(app, { ...bodies[style], ...more }, { path: style === 'guide' ? '/v3/chat' : '/v3/chat?event_ids=true' })

export const chatPath = (chat: Json, path = '/v3/chat/stream') => `${path}?conversation_id=${chat.conversation_id}&chat_id=${chat.id}`

/** Comes back: guide-style as a browser does it, by Last-Event-ID, SDK-style by starting_after. */
export function resumeChat(app: Reader, chat: Json, { style, cursor }: { style: Style; cursor: number | string }): Promise<LiveStream> {
  const path = chatPath(chat)
  if (style === 'guide') return openStream(app, undefined, { path, headers: { 'last-event-id': String(cursor) } })
  return openStream(app, undefined, { path: `${path}&starting_after=${cursor}` })
}

/** The number of the last whole event; 0 for none. */
export const cursorOf = (frames: Frame[]): number => Number(frames.findLast((frame) => frame.id !== undefined)?.id ?? 0)

/** Reads to the end over any number of connections, each cut after as many frames as `cuts` says; the last one is not cut. */
export async function readInPieces(app: Reader, chat: Json, { style, cuts }: { style: Style; cuts: number[] }): Promise<string> {
  let text = ''
  let cursor = 0
  for (const cut of [...cuts, Infinity]) {
    await using stream = await resumeChat(app, chat, { style, cursor })
    const frames = cut === Infinity ? await stream.ended : (await stream.until(hasAtLeast(cut)).catch(() => stream.frames)).slice(0, cut)
    text += frames.map((frame) => `${frame.lines.join('\n')}\n\n`).join('')
    if (frames.at(-1)?.event === 'done') return text
    cursor = Math.max(cursor, cursorOf(frames))
  }
  return text
}

const hasAtLeast = (count: number) => (frames: Frame[]) => frames.length >= count || frames.at(-1)?.event === 'done'
