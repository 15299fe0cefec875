export type DiffLine = { kind: 'same' | 'removed' | 'added'; text: string }

/** More than this many pairs of lines are not compared one by one: all of the one text goes, all of the other comes. */
const MOST_PAIRS = 4_000_000

/** What is different between two texts, line by line: removed ones before those that took their place. */
export function diffLines(before: string, after: string): DiffLine[] {
  const [old, fresh] = [before.split('\n'), after.split('\n')]
  let start = 0
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++
  let end = 0
  while (end < old.length - start && end < fresh.length - start && old.at(-1 - end) === fresh.at(-1 - end)) end++

  const same = (lines: string[]) => lines.map((text): DiffLine => ({ kind: 'same', text }))
  const middle = diffMiddle(old.slice(start, old.length - end), fresh.slice(start, fresh.length - end))
  return [...same(old.slice(0, start)), ...middle, ...same(old.slice(old.length - end))]
}

function diffMiddle(old: string[], fresh: string[]): DiffLine[] {
  const removed = (texts: string[]) => texts.map((text): DiffLine => ({ kind: 'removed', text }))
  const added = (texts: string[]) => texts.map((text): DiffLine => ({ kind: 'added', text }))
  if (old.length * fresh.length > MOST_PAIRS) return [...removed(old), ...added(fresh)]

  const common = commonLengths(old, fresh)
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < old.length && j < fresh.length) {
    if (old[i] === fresh[j]) {
      lines.push({ kind: 'same', text: old[i] ?? '' })
      i++
      j++
    } else if (common.at(i + 1, j) >= common.at(i, j + 1)) lines.push(...removed([old[i++] ?? '']))
    else lines.push(...added([fresh[j++] ?? '']))
  }
  return [...lines, ...removed(old.slice(i)), ...added(fresh.slice(j))]
}

/** How many lines the rests from `i` and from `j` have in common, in order. */
function commonLengths(old: string[], fresh: string[]): { at(i: number, j: number): number } {
  const width = fresh.length + 1
  const table = new Uint32Array((old.length + 1) * width)
  const at = (i: number, j: number) => table[i * width + j] ?? 0
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      table[i * width + j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  return { at }
}
