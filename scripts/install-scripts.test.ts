import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Packages that bring a script to be run when they are installed: each of them was looked at. */
const KNOWN = ['msgpackr-extract', 'node', 'unrs-resolver']

type Lockfile = { packages: Record<string, { hasInstallScript?: boolean; optional?: boolean }> }
type Package = { allowScripts: Record<string, boolean> }

const read = <T>(path: string): T => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as T
const nameOf = (path: string) => path.replace(/^.*node_modules\//, '')

test('no package runs anything at install time but those that are known, and of these only one does', () => {
  const { packages } = read<Lockfile>('../package-lock.json')
  const scripted = Object.entries(packages).filter(([path, { hasInstallScript }]) => path.includes('node_modules/') && hasInstallScript)
  const names = [...new Set(scripted.map(([path]) => nameOf(path)))].filter((name) => name !== 'fsevents')
  expect(names.toSorted()).toEqual(KNOWN)

  const { allowScripts } = read<Package>('../package.json')
  expect(Object.keys(allowScripts)).toEqual(expect.arrayContaining(KNOWN))
  expect(Object.entries(allowScripts).filter(([, isAllowed]) => isAllowed)).toEqual([['node', true]])
})
