import type { ByteRange } from '../files/object-store.ts'

/**
 * What a Range header asks of `sizeBytes` bytes. Undefined (answer with everything) when there is none,
 * it is not understood, or it asks for several ranges, as RFC 9110 allows.
 */
export function parseByteRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const parts = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '')
  if (!parts) return undefined

  const [from, to] = [parts[1], parts[2]].map((digits) => (digits ? Number(digits) : undefined))
  const last = sizeBytes - 1
  if (from === undefined) return lastBytes(to, sizeBytes)
  if (to !== undefined && to < from) return undefined
  return from > last ? 'unsatisfiable' : { start: from, end: Math.min(to ?? last, last) }
}

function lastBytes(count: number | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  if (count === 0) return 'unsatisfiable'
  return count === undefined ? undefined : { start: Math.max(sizeBytes - count, 0), end: sizeBytes - 1 }
}
