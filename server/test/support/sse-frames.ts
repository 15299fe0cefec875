import type { Json } from './test-app.ts'

/** A frame of a stream as its bytes had it. `data` is the object, or the text where it is none. */
export type Frame = { lines: string[]; event: string; id: string | undefined; data: Json; raw: string }

/** Splits the text of a whole stream into frames. */
export function parseFrames(text: string): Frame[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const lines = block.split('\n')
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
      const raw = field('data') ?? ''
      return { lines, event: field('event') ?? '', id: field('id'), raw, data: raw.startsWith('{') ? JSON.parse(raw) : raw }
    })
}

/** The text of the answer as a client that prints deltas sees it. */
export const deltaText = (frames: Frame[]): string =>
  frames
    .filter((frame) => frame.event === 'conversation.message.delta')
    .map((frame) => frame.data.content as string)
    .join('')

export const eventNames = (frames: Frame[]): string[] => frames.map((frame) => frame.event)

/** The event of that name; the first where there are several. */
export function frameOf(frames: Frame[], event: string): Frame {
  const frame = frames.find((each) => each.event === event)
  if (!frame) throw new Error(`no ${event} among ${eventNames(frames).join(', ')}`)
  return frame
}
