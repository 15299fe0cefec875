import { printValue } from './value.ts'
import type { Value } from './value.ts'

/** A value as people read it: texts as they are, numbers without exponent, lists and objects as JSON, null as nothing. */
export function toText(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number') return printNumber(value)
  return typeof value === 'object' ? printValue(value) : String(value)
}

/** The shortest digits that mean this number, such as `100000000000000000000000` for 1e23. */
function printNumber(number: number): string {
  const [mantissa = '', exponent] = String(Math.abs(number)).split('e')
  const sign = number < 0 ? '-' : ''
  if (exponent === undefined) return sign + mantissa

  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  return sign + (point > 0 ? digits.padEnd(point, '0') : `0.${'0'.repeat(-point)}${digits}`)
}
