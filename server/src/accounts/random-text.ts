import { randomInt } from 'node:crypto'

/** Every character of the alphabet is equally likely at every place. */
export function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
}
