/**
 * The name a file is kept and offered under, whatever the caller sent: the last part of a path,
 * without control, direction-changing or other invisible characters, of 1 to 255 UTF-16 units, its
 * extension kept. Anything else (Chinese, spaces, emoji) stays as it is.
 */
export function cleanFileName(name: string | undefined): string {
  const visible = (name ?? '').replace(INVISIBLE, '')
  const last = visible
    .split(/[/\\]/)
    .map((segment) => segment.trim())
    .findLast((segment) => segment !== '')

  if (last === undefined || /^[.\s\u200c\u200d]*$/.test(last)) return 'file'
  return shorten(last)
}

/** With its dot, in lower case; empty when there is none. */
export function fileExtension(name: string): string {
  return /[^.](\.[^.\s]{1,30})$/.exec(name)?.[1]?.toLowerCase() ?? ''
}

const MAX_LENGTH = 255

// controls, format characters (bidi overrides, zero width), lone surrogates, line separators; not the two joiners that emoji and Persian need
const INVISIBLE = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]--[\u200c\u200d]]/gv

function shorten(name: string): string {
  if (name.length <= MAX_LENGTH) return name

  const extension = name.slice(name.length - fileExtension(name).length)
  const stem = name.slice(0, MAX_LENGTH - extension.length)
  // the cut may have halved a character
  return stem.replace(/\p{Cs}$/u, '').trimEnd() + extension
}
