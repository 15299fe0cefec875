import { matchesGlob, relative } from 'node:path'
import type { Rule } from 'eslint'
import { importsOf } from './imports-of.ts'

type PackageHome = { packages: readonly string[]; homes: readonly string[] }

/** Keeps a package in the few places that own it, so that replacing it stays a change of those places. */
export function createPackageHomeRule(root: string, packageHomes: readonly PackageHome[]): Rule.RuleModule {
  return {
    meta: { type: 'problem' },
    create(context) {
      const file = relative(root, context.filename)

      return importsOf((source, node) => {
        const entry = packageHomes.find(({ packages }) => packages.some((name) => isFromPackage(source, name)))
        if (!entry || entry.homes.some((home) => matchesGlob(file, home))) return
        context.report({ node, message: `"${source}" is imported only by ${entry.homes.join(', ')} (eslint/architecture.ts).` })
      })
    },
  }
}

function isFromPackage(source: string, name: string): boolean {
  return name.endsWith('/') ? source.startsWith(name) : source === name || source.startsWith(`${name}/`)
}
