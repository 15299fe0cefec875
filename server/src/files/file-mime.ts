import { fileTypeFromBuffer } from 'file-type'
import { fileExtension } from './file-name.ts'

/** How much of a file's beginning `detectMime` wants to see. */
export const SAMPLE_BYTES = 64 * 1024

/**
 * What a file is, by its first bytes; the extension only tells text formats apart, and only when the
 * bytes are text. Never a type that a browser would run: HTML, SVG and scripts are plain text.
 */
export async function detectMime(sample: Uint8Array, name: string): Promise<string> {
  // @NOTE text first: some signatures are two letters long, and "BMW" is no bitmap
  const asText = TEXT_TYPES[fileExtension(name)]
  if (asText !== undefined && looksLikeText(sample)) return asText

  const found = await sniff(sample)
  return found?.split(';')[0] ?? UNKNOWN
}

/** Worth giving to a reader as text. */
export function isTextMime(mime: string): boolean {
  return mime.startsWith('text/') || TEXT_IN_APPLICATION.has(mime)
}

const UNKNOWN = 'application/octet-stream'

const PLAIN = 'text/plain'
const TEXT_TYPES: Record<string, string | undefined> = {
  '.txt': PLAIN,
  '.text': PLAIN,
  '.log': PLAIN,
  '.ini': PLAIN,
  '.conf': PLAIN,
  '.srt': PLAIN,
  '.sql': PLAIN,
  '.html': PLAIN,
  '.htm': PLAIN,
  '.xhtml': PLAIN,
  '.svg': PLAIN,
  '.css': PLAIN,
  '.js': PLAIN,
  '.ts': PLAIN,
  '.py': PLAIN,
  '.go': PLAIN,
  '.java': PLAIN,
  '.c': PLAIN,
  '.cpp': PLAIN,
  '.sh': PLAIN,
  '.md': 'text/markdown',
  '.markdown': 'text/markdown',
  '.csv': 'text/csv',
  '.tsv': 'text/tab-separated-values',
  '.json': 'application/json',
  '.jsonl': 'application/jsonl',
  '.xml': 'application/xml',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
}

const TEXT_IN_APPLICATION = new Set(['application/json', 'application/jsonl', 'application/xml', 'application/yaml'])

async function sniff(sample: Uint8Array): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(sample))?.mime
  } catch {
    // a file that breaks the detector is merely of an unknown type
    return undefined
  }
}

const TEXT_CONTROLS = new Set([0x07, 0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x1b])

/** Any encoding that keeps ASCII as it is (UTF-8, GB18030), or UTF-16 that says so. */
function looksLikeText(sample: Uint8Array): boolean {
  const [first, second] = sample
  const utf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  return utf16 || sample.every((byte) => byte >= 0x20 || TEXT_CONTROLS.has(byte))
}
