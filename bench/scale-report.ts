import type { House } from './scale-house.ts'
import type { ScaleFigure } from './scale-measure.ts'
import type { ExplainedStatement } from './scale-statements.ts'

type Houses = { small: House; full: House }

/** What is stored, how long each route takes with little and with much of it, and how the database finds what it is asked for. */
export function formatScale({ small, full }: Houses, figures: ScaleFigure[]): string {
  return [
    '| | small | full |',
    '|---|--:|--:|',
    ...listSizes(small).map(([name, value], at) => `| ${name} | ${value} | ${listSizes(full)[at]?.[1]} |`),
    '',
    '| ms | samples | small p50 | p99 | full p50 | p99 | p50 × | p99 × | |',
    '|---|--:|--:|--:|--:|--:|--:|--:|---|',
    ...figures.map(formatFigure),
  ].join('\n')
}

export function formatStatements(statements: ExplainedStatement[]): string {
  return statements
    .map(({ sql, routes, plan }) => [`- ${routes.join('; ')}`, '  ```', ...[shorten(sql), ...plan].map((line) => `  ${line}`), '  ```'])
    .flat()
    .join('\n')
}

function listSizes({ sizes, rounds, bytes, seconds }: House): [string, string][] {
  return [
    ['keys', count(sizes.keys)],
    ['conversations', count(sizes.conversations)],
    ['messages', count(sizes.messages)],
    ['chats', count(rounds)],
    ['database, MB', count(Math.round(bytes / 1e6))],
    ['seeded in, s', count(Math.round(seconds))],
  ]
}

const count = (value: number) => value.toLocaleString('en')

function formatFigure({ name, timesMs }: ScaleFigure): string {
  const [small, full] = [sorted(timesMs.small), sorted(timesMs.full)]
  const [p50, p99] = [ratio(small, full, 0.5), ratio(small, full, 0.99)]
  const isSlow = p99 > SLOW_RATIO && percentile(full, 0.99) - percentile(small, 0.99) > SLOW_MS
  const cells = [
    `${small.length} / ${full.length}`,
    ...[small, full].flatMap((times) => [percentile(times, 0.5).toFixed(2), percentile(times, 0.99).toFixed(2)]),
    ...[p50, p99].map((value) => value.toFixed(2)),
  ]
  return `| ${name} | ${cells.join(' | ')} | ${isSlow ? '**slower**' : ''} |`
}

const SLOW_RATIO = 1.5
const SLOW_MS = 1

const sorted = (times: number[] = []) => times.toSorted((one, other) => one - other)
const percentile = (times: number[], part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN
const ratio = (small: number[], full: number[], part: number) => percentile(full, part) / percentile(small, part)

/** Lists of columns say nothing about how rows are found. */
const shorten = (sql: string) => sql.replace(/((["`]\w+["`]\.)?["`]\w+["`], ){3,}/g, '…, ').replace(/(\?, ){3,}/g, '…, ')
