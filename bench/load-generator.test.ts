import { expect, test } from 'vitest'
import { judgeStream } from './load-generator.ts'

const whole = ['@7.0.100 ', '@7.1.200 ', '@7.2.300 ', '[DONE]']

test.each([
  ['every stamp and the end', whole, undefined],
  ['stamps cut and joined on the way', ['@7.0.1', '00 @7.1.200 @7', '.2.300 ', '[DONE]'], undefined],
  ['no end', whole.slice(0, 3), 'no [DONE]'],
  ['the last stamp missing', [...whole.slice(0, 2), '[DONE]'], 'incomplete stream'],
  ['a stamp lost on the way', ['@7.0.100 ', '@7.2.300 ', '@7.3.400 ', '[DONE]'], 'lost chunk'],
  ['a stamp sent twice', ['@7.0.100 ', '@7.0.100 ', '@7.1.200 ', '[DONE]'], 'repeated chunk'],
  ["another stream's text", ['@7.0.100 ', '@8.1.200 ', '@7.2.300 ', '[DONE]'], 'foreign text'],
])('a stream with %s', (_story, texts, fault) => {
  const judge = judgeStream(3, (_event, data) => data)

  for (const text of texts) judge.take(Buffer.from(`data: ${text}\n\n`))

  expect(judge.fault()).toBe(fault)
})
