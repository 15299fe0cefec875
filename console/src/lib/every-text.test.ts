import { describe, expect, test } from 'vitest'

type Tree = { [key: string]: string | Tree }
type TextsFile = Record<string, { namespace: string; en: Tree; zh: Tree }>

const files = import.meta.glob<TextsFile>('../**/*-texts.ts', { eager: true })
const groups = Object.values(files).flatMap((file) => Object.values(file))

describe('every text of the console', () => {
  test('is there', () => expect(groups.length).toBeGreaterThan(2))

  test.each(groups)('$namespace: English and Chinese have the same keys, and nothing is empty', ({ en, zh }) => {
    const [english, chinese] = [leavesOf(en), leavesOf(zh)]
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
    expect([...english, ...chinese].filter(([, text]) => text.trim() === '')).toEqual([])
  })

  test.each(groups)('$namespace: both languages show the same values', ({ en, zh }) => {
    const chinese = leavesOf(zh)
    for (const [key, text] of leavesOf(en))
      expect({ key, values: valuesOf(chinese.get(key) ?? '') }).toEqual({ key, values: valuesOf(text) })
  })

  test('no two parts share a namespace', () => {
    const names = groups.map(({ namespace }) => namespace)
    expect(new Set(names).size).toBe(names.length)
  })
})

function leavesOf(tree: Tree, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'string' ? [[`${prefix}${key}`, value] as const] : [...leavesOf(value, `${prefix}${key}.`)],
    ),
  )
}

const valuesOf = (text: string) => [...new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]))].sort()
