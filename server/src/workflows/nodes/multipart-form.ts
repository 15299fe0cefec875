import { randomUUID } from 'node:crypto'

/** With a file name it is a file. */
export type FormPart = { name: string; fileName?: string; content: Uint8Array }

/** @NOTE not `FormData`: that changes the line ends of texts */
export function toMultipart(parts: FormPart[]): { content: Uint8Array; contentType: string } {
  const boundary = `form-${randomUUID()}`
  const pieces = parts.flatMap(({ name, fileName, content }) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${escape(name)}"`),
    Buffer.from(fileName === undefined ? '' : `; filename="${escape(fileName)}"\r\nContent-Type: application/octet-stream`),
    Buffer.from('\r\n\r\n'),
    content,
    Buffer.from('\r\n'),
  ])
  return {
    content: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
    contentType: `multipart/form-data; boundary=${boundary}`,
  }
}

/** As browsers do it. */
const escape = (name: string) => name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
