import { gzipSync } from 'node:zlib'
import type { Plugin, Rolldown } from 'vite'

export type FirstLoadBudget = {
  maxGzipBytes: number
  /** Sources of lazy pages that somebody who comes to `/` gets at once. */
  pages: string[]
}

/** Says in the build what a first visit loads, gzipped, and fails the build when that is more than the budget. */
export function firstLoadBudget({ maxGzipBytes, pages }: FirstLoadBudget): Plugin {
  return {
    name: 'first-load-budget',
    generateBundle(_options, bundle) {
      const names = namesOf(bundle, pages)
      const bytes = [...names].reduce((sum, name) => sum + gzippedSize(bundle[name]), 0)

      const text = `first load: ${kilobytes(bytes)} gzip in ${names.size} files (budget ${kilobytes(maxGzipBytes)})`
      if (bytes > maxGzipBytes) this.error(text)
      // what Rollup calls a log is hidden at most levels
      process.stdout.write(`${text}\n`)
    },
  }
}

/** The entry, the pages, and all that they import statically, style sheets included. */
function namesOf(bundle: Rolldown.OutputBundle, pages: string[]): Set<string> {
  const names = new Set<string>()
  const visit = (name: string) => {
    const output = bundle[name]
    if (names.has(name) || output?.type !== 'chunk') return
    names.add(name)
    output.imports.forEach(visit)
    for (const sheet of output.viteMetadata?.importedCss ?? []) names.add(sheet)
  }
  for (const output of Object.values(bundle)) {
    if (output.type !== 'chunk') continue
    if (output.isEntry || pages.some((page) => output.facadeModuleId?.endsWith(page))) visit(output.fileName)
  }
  return names
}

function gzippedSize(output: Rolldown.OutputAsset | Rolldown.OutputChunk | undefined): number {
  if (!output) return 0
  return gzipSync(output.type === 'chunk' ? output.code : output.source).length
}

const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`
