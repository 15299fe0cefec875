import type { NodeRecord } from '../../../../server/src/http/console/workflow-run-wire.ts'

/** A record among those it was part of. */
export type TraceRow = { record: NodeRecord; depth: number; parentPath: string | undefined; hasChildren: boolean; pass: number | undefined }

/**
 * In the order in which things began, what is inside of a node right below it: passes of loops, nodes of bodies and of called workflows.
 * A record whose surroundings are on another page stands by itself.
 */
export function toTraceRows(records: NodeRecord[]): TraceRow[] {
  const known = new Set(records.map(({ path }) => path))
  const children = Map.groupBy(records, ({ path }) => findParent(path, known) ?? '')
  const listFrom = (parentPath: string | undefined, depth: number): TraceRow[] =>
    (children.get(parentPath ?? '') ?? []).flatMap((record) => [
      { record, depth, parentPath, hasChildren: children.has(record.path), pass: passOf(record.path) },
      ...listFrom(record.path, depth + 1),
    ])
  return listFrom(undefined, 0)
}

/** The nearest one around it that there is a record of. */
function findParent(path: string, known: ReadonlySet<string>): string | undefined {
  let outer = path
  while (outer !== '') {
    const cut = Math.max(outer.lastIndexOf('/'), outer.lastIndexOf('#'))
    outer = cut < 0 ? '' : outer.slice(0, cut)
    if (known.has(outer)) return outer
  }
  return undefined
}

/** From 1; undefined for what is no pass. */
function passOf(path: string): number | undefined {
  const number = /#(\d+)$/.exec(path)?.[1]
  return number === undefined ? undefined : Number(number) + 1
}

/** Rows none of whose surroundings is closed. */
export function openRows(rows: TraceRow[], closed: ReadonlySet<string>): TraceRow[] {
  const hidden = new Set<string>()
  return rows.filter(({ record, parentPath }) => {
    const isHidden = parentPath !== undefined && (closed.has(parentPath) || hidden.has(parentPath))
    if (isHidden) hidden.add(record.path)
    return !isHidden
  })
}

/** Where a record lies in the time of the run, in percent. */
export function toBar({ started_at, finished_at }: NodeRecord, span: { from: number; to: number }): { left: number; width: number } {
  const whole = Math.max(1, span.to - span.from)
  const left = Math.min(99, Math.max(0, ((started_at - span.from) / whole) * 100))
  const width = (((finished_at ?? span.to) - started_at) / whole) * 100
  return { left, width: Math.min(100 - left, Math.max(0.8, width)) }
}
