const MAX_NAME = 64

/** The name in the letters that every model protocol takes. */
export function toToolName(text: string): string {
  const name = text
    .replace(/[^a-zA-Z0-9_-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, MAX_NAME)
  return name || 'tool'
}

/** The name, with a number behind it when it is taken; taken from now on. */
export function takeName(taken: Set<string>, wanted: string): string {
  let name = toToolName(wanted)
  for (let count = 2; taken.has(name); count++) {
    const suffix = `_${count}`
    name = toToolName(wanted).slice(0, MAX_NAME - suffix.length) + suffix
  }
  taken.add(name)
  return name
}
