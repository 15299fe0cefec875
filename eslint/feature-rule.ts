import { dirname, relative, resolve, sep } from 'node:path'
import type { Rule } from 'eslint'
import { importsOf } from './imports-of.ts'

/** Keeps the folders below `features/` apart: what two of them need stands in `ui` or `lib`, what puts them together in `app`. */
export function createFeatureRule(root: string): Rule.RuleModule {
  return {
    meta: { type: 'problem' },
    create(context) {
      const own = featureOf(root, context.filename)
      if (own === undefined) return {}

      return importsOf((source, node) => {
        if (!source.startsWith('.')) return
        const other = featureOf(root, resolve(dirname(context.filename), source))
        if (other === undefined || other === own) return
        context.report({
          node,
          message: `The feature "${own}" must not import the feature "${other}": share through ui or lib, or let app put them together.`,
        })
      })
    },
  }
}

function featureOf(root: string, file: string): string | undefined {
  const [layer, feature] = relative(root, file).split(sep)
  return layer === 'features' ? feature : undefined
}
