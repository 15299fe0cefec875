const LF = 10
const CR = 13

/**
 * Reads server-sent events from bytes that arrive in pieces of any size. Lines end in LF or CRLF; `id:`, `retry:` and comments are
 * skipped. It works on bytes and decodes only the lines it needs, because it shares the machine with what it measures.
 */
export function createSseReader(onEvent: (name: string, data: string) => void): (bytes: Buffer) => void {
  let pending: Buffer | undefined
  let name = ''
  let data: string | undefined

  const takeLine = (line: string) => {
    const value = line.slice(line[line.indexOf(':') + 1] === ' ' ? line.indexOf(':') + 2 : line.indexOf(':') + 1)
    if (line.startsWith('data:')) data = data === undefined ? value : `${data}\n${value}`
    else if (line.startsWith('event:')) name = value
  }

  const dispatch = () => {
    if (data !== undefined) onEvent(name || 'message', data)
    name = ''
    data = undefined
  }

  return (piece) => {
    const bytes = pending ? Buffer.concat([pending, piece]) : piece
    let from = 0
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, from)) {
      const to = bytes[end - 1] === CR && end > from ? end - 1 : end
      if (to === from) dispatch()
      else takeLine(bytes.toString('utf8', from, to))
      from = end + 1
    }
    pending = from < bytes.length ? bytes.subarray(from) : undefined
  }
}
