import type { Rule } from 'eslint'
import type { Node } from 'estree'

type Check = (from: string, node: Node) => void

/** A listener that calls `check` with every module a file names: imports, re-exports and `import()`, types included. */
export function importsOf(check: Check): Rule.RuleListener {
  const checkSource = (node: { source?: Node | null }) => {
    if (node.source?.type === 'Literal' && typeof node.source.value === 'string') check(node.source.value, node.source)
  }
  return {
    ImportDeclaration: checkSource,
    ImportExpression: checkSource,
    ExportNamedDeclaration: checkSource,
    ExportAllDeclaration: checkSource,
  }
}
