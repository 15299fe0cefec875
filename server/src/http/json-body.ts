import { AppError } from '../lib/app-error.ts'

/** Deeper JSON than any real request has; recursive code behind the parser relies on it. */
const MAX_DEPTH = 64

/**
 * Parses a JSON body. Integers that JavaScript cannot hold exactly (Coze's ids have 19 digits)
 * come out as digit strings. Throws `invalid_request` for broken UTF-8, broken JSON and deep nesting.
 */
export function parseJsonBody(bytes: Buffer): unknown {
  const text = decodeUtf8(bytes)
  if (text.trim() === '') return undefined
  if (depthOf(text) > MAX_DEPTH) throw new AppError('invalid_request', `the body is nested deeper than ${MAX_DEPTH} levels`)
  try {
    return /\d{16}/.test(text) ? (JSON.parse(text, keepDigits) as unknown) : (JSON.parse(text) as unknown)
  } catch (cause) {
    throw new AppError('invalid_request', 'the body is not valid JSON', { cause })
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decodeUtf8(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new AppError('invalid_request', 'the body is not valid UTF-8', { cause })
  }
}

function keepDigits(_name: string, value: unknown, context?: { source?: string }): unknown {
  const isRounded = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
  return isRounded && context?.source !== undefined && /^-?\d+$/.test(context.source) ? context.source : value
}

const QUOTE = 34
const BACKSLASH = 92
const OPENING = new Set([91, 123])
const CLOSING = new Set([93, 125])

function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (OPENING.has(code)) deepest = Math.max(deepest, ++depth)
    else if (CLOSING.has(code)) depth--
  }
  return deepest
}

function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    if (!isEscaped(text, at)) return at
  }
  return text.length
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}
