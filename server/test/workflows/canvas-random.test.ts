import { expect, test } from 'vitest'
import { parseCanvas } from '../../src/workflows/canvas/canvas-document.ts'
import { nodeTypes } from '../../src/workflows/nodes/node-registry.ts'
import { validateCanvas } from '../../src/workflows/validation/validate-canvas.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, ref } from '../support/canvas-builder.ts'
import type { CanvasJson } from '../support/canvas-builder.ts'
import { engineHouse } from '../support/engine-house.ts'
import { concat } from '../support/node-sketches.ts'
import { seededRandom } from '../support/seeded-random.ts'

type Line = { from: number; port?: 'true' | 'false' }
/** A text node, or a selector that asks the caller for its branch. Lines and reads come from smaller numbers; 0 is the entry. */
type Drawn = { at: number; isSelector: boolean; incoming: Line[]; reads: number[] }

const SIZE = 14
const idOf = (at: number) => (at === 0 ? 'entry' : String(100 + at))

function drawRandom(random: () => number): Drawn[] {
  const below = (limit: number) => Math.floor(random() * limit)
  const drawn: Drawn[] = []
  const lineFrom = (from: number): Line => (drawn[from - 1]?.isSelector ? { from, port: random() < 0.5 ? 'true' : 'false' } : { from })
  for (let at = 1; at <= SIZE; at++) {
    const incoming = Array.from({ length: 1 + below(3) }, () => lineFrom(below(at)))
    const texts = drawn.filter(({ isSelector }) => !isSelector)
    const reads = Array.from({ length: below(3) }, () => texts[below(texts.length)]?.at).filter((each) => each !== undefined)
    drawn.push({ at, isSelector: random() < 0.3, incoming, reads: [...new Set(reads)] })
  }
  return drawn
}

/** What leads nowhere leads to the exit. */
function looseEnds(drawn: Drawn[]): Line[] {
  const used = new Set(drawn.flatMap(({ incoming }) => incoming.map(({ from, port = '' }) => `${from}:${port}`)))
  return drawn
    .flatMap(({ at, isSelector }): Line[] =>
      isSelector
        ? [
            { from: at, port: 'true' },
            { from: at, port: 'false' },
          ]
        : [{ from: at }],
    )
    .filter(({ from, port = '' }) => !used.has(`${from}:${port}`))
}

function toCanvas(drawn: Drawn[]): CanvasJson {
  const edge = ({ from, port }: Line, to: string) => `${idOf(from)}${port ? `:${port}` : ''} > ${to}`
  const drawing = drawCanvas().entry(Object.fromEntries(drawn.map(({ at }) => [`b${at}`, 'boolean'])))
  for (const { at, isSelector, incoming, reads } of drawn) {
    const given = Object.fromEntries(reads.map((each) => [`r${each}`, ref(`${idOf(each)}.output`)]))
    if (isSelector) drawing.selector(idOf(at), [{ if: [[11, ref(`entry.b${at}`, 'boolean')]] }])
    else drawing.node(idOf(at), 15, concat(`${at}(${reads.map((each) => `{{r${each}}}`).join(',')})`, given))
    drawing.edges(...incoming.map((line) => edge(line, idOf(at))))
  }
  const texts = drawn.filter(({ isSelector }) => !isSelector)
  return drawing
    .exit(Object.fromEntries(texts.map(({ at }) => [`t${at}`, ref(`${idOf(at)}.output`)])))
    .edges(...looseEnds(drawn).map((line) => edge(line, 'exit')))
    .build()
}

/** The rules in their shortest form: a node runs when one line that leads to it was taken; what did not run reads as empty. */
function expected(drawn: Drawn[], args: Record<string, boolean>): ValueObject {
  const ran = new Map<number, string>([[0, '']])
  const isTaken = ({ from, port }: Line) => ran.has(from) && (port === undefined || port === String(args[`b${from}`]))
  for (const { at, incoming, reads } of drawn)
    if (incoming.some(isTaken)) ran.set(at, `${at}(${reads.map((each) => ran.get(each) ?? '').join(',')})`)
  return Object.fromEntries(drawn.filter(({ isSelector }) => !isSelector).map(({ at }) => [`t${at}`, ran.get(at) ?? '']))
}

const context = { nodeTypes, loadSubWorkflow: async () => undefined }

test('drawings of any shape are found to be right, and run as the rules say', async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = seededRandom(seed)
    const drawn = drawRandom(random)
    const args = Object.fromEntries(drawn.map(({ at }) => [`b${at}`, random() < 0.5]))
    const canvas = toCanvas(drawn)
    expect(await validateCanvas(parseCanvas(canvas), context), `seed ${seed}`).toEqual([])
    expect(await engineHouse().run(canvas, args), `seed ${seed}`).toEqual(expected(drawn, args))
  }
})
