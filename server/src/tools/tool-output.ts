/** What of a tool's answer a model gets to see. */
export const MAX_OUTPUT_BYTES = 64 * 1024

export function capText(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= MAX_OUTPUT_BYTES) return text.toWellFormed()
  return `${decodeStart(bytes.subarray(0, MAX_OUTPUT_BYTES), 'utf-8')}\n[cut: the first 64 kB of ${Math.ceil(bytes.length / 1024)} kB]`
}

/** Reads no more than what is shown. */
export async function readCapped(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  const body: ReadableStream<Uint8Array> | null = response.body
  const reader = body?.getReader()
  while (reader && size <= MAX_OUTPUT_BYTES) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    size += value.byteLength
  }
  await reader?.cancel()

  const text = decodeStart(Buffer.concat(chunks).subarray(0, MAX_OUTPUT_BYTES), charsetOf(response))
  return size > MAX_OUTPUT_BYTES ? `${text}\n[cut after 64 kB]` : text
}

/** The whole of it, for those who have limited what is fetched. */
export async function readText(response: Response): Promise<string> {
  return new TextDecoder(charsetOf(response)).decode(await response.arrayBuffer())
}

/** Without the half of a character that the cut may have left. */
function decodeStart(bytes: Uint8Array, charset: string): string {
  return new TextDecoder(charset).decode(bytes, { stream: true })
}

function charsetOf(response: Response): string {
  const [, charset = 'utf-8'] = /charset="?([\w-]+)/i.exec(response.headers.get('content-type') ?? '') ?? []
  try {
    return new TextDecoder(charset).encoding
  } catch {
    return 'utf-8'
  }
}
