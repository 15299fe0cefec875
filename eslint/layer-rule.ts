import { dirname, relative, resolve, sep } from 'node:path'
import type { Rule } from 'eslint'
import { importsOf } from './imports-of.ts'

/** Holds the import order: a file below `root` imports its own layer and lower ones. The layer is the first part of its path. */
export function createLayerRule(root: string, layers: readonly (readonly string[])[]): Rule.RuleModule {
  const rankOf = (layer: string) => layers.findIndex((names) => names.includes(layer))

  function problemOf(from: string, to: string): string | undefined {
    if (rankOf(to) === -1) return unknownLayer(to)
    if (to === from || rankOf(to) > rankOf(from)) return undefined
    return `"${from}" must not import "${to}", which is not below it (eslint/architecture.ts): move what is shared down, or hand it in from above.`
  }

  return {
    meta: { type: 'problem' },
    create(context) {
      const from = layerOf(root, context.filename)
      if (from === undefined) return {}
      if (rankOf(from) === -1) return { Program: (node) => context.report({ node, message: unknownLayer(from) }) }

      return importsOf((source, node) => {
        if (!source.startsWith('.') || /\.(json|css)$/.test(source) || isWire(source)) return
        const to = layerOf(root, resolve(dirname(context.filename), source))
        const message = to === undefined ? leaving(context.filename) : problemOf(from, to)
        if (message) context.report({ node, message })
      })
    },
  }
}

/** The shapes of requests and answers are the one thing that the console takes from the server, as types. */
const isWire = (source: string) => /^(\.\.\/)+server\/src\/http\/console\/[a-z0-9-]+-wire\.ts$/.test(source)

/** `chat/agent-loop.ts` → `chat`, `app.ts` → `app`, nothing for a file elsewhere. */
function layerOf(root: string, file: string): string | undefined {
  const [first] = relative(root, file).split(sep)
  return first === '..' ? undefined : first?.replace(/(\.test)?\.tsx?$/, '')
}

function leaving(file: string): string | undefined {
  return /\.test\.tsx?$/.test(file) ? undefined : 'Only tests import from outside of src.'
}

function unknownLayer(layer: string): string {
  return `"${layer}" has no place in the order of layers: give it one in eslint/architecture.ts.`
}
