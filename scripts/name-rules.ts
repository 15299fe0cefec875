import { basename, sep } from 'node:path'

const drawers = ['utils', 'util', 'helpers', 'helper', 'common', 'manager', 'service', 'base', 'types', 'misc']
const workspaces = ['server', 'console', 'sdk']

/**
 * A file can be found by its name: kebab-case, there once per workspace, and never a word that names a drawer rather than a thing.
 * Answers one sentence for every name that breaks a rule; `files` are paths from the root of the repository.
 */
export function nameProblems(files: readonly string[]): string[] {
  return [...files.flatMap(wordProblems), ...repeatedNames(files)].sort()
}

function wordProblems(file: string): string[] {
  const parts = file.split(sep)
  const unkebab = parts.filter((part) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/.test(part))
  const drawer = drawers.find((word) => parts.some((part) => part.split(/[-.]/).includes(word)))

  return [
    ...unkebab.map((part) => `${file}: "${part}" is not kebab-case`),
    ...(drawer === undefined ? [] : [`${file}: "${drawer}" says nothing, name what is inside`]),
  ]
}

function repeatedNames(files: readonly string[]): string[] {
  const groups = Map.groupBy(files, (file) => `${workspaceOf(file)}:${basename(file)}`)
  return [...groups.values()].filter((group) => group.length > 1).map((group) => `${group.join(', ')}: one name for ${group.length} files`)
}

function workspaceOf(file: string): string {
  return workspaces.find((workspace) => file.startsWith(workspace + sep)) ?? 'root'
}
