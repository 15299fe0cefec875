import { expect, test } from 'vitest'
import { unwrapCanvas } from './wrapped-canvas.ts'

const canvas = '{"nodes":[{"id":"1","size":12345678901234567890}],"edges":[]}'

test('a canvas is found in what Coze Studio answers with', () => {
  const wrapped = [
    `{"data":{"workflow":{"schema_json":${JSON.stringify(canvas)}}}}`,
    `{"schema_json":${JSON.stringify(canvas)}}`,
    `{"workflow":{"canvas":${canvas}}}`,
    JSON.stringify(canvas),
  ]
  for (const text of wrapped) expect(unwrapCanvas(text)).toBe(canvas)
})

test('everything else stays as it is', () => {
  for (const text of [
    canvas,
    `${canvas}\n`,
    '{',
    '[]',
    '5',
    '"text"',
    '{"data":{"nodes":5}}',
    `${'{"data":'.repeat(2_000)}1${'}'.repeat(2_000)}`,
  ])
    expect(unwrapCanvas(text)).toBe(text)
})
