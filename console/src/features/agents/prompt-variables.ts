import type { AgentDraft } from '../../../../server/src/http/console/agent-wire.ts'

/** What a variable may be called. */
export const VARIABLE_NAME = /^[A-Za-z_]\w{0,99}$/

/** `{{names}}` in the prompt that no variable has, each once, in the order in which they stand there. */
export function undeclaredVariables(prompt: string, variables: AgentDraft['variables']): string[] {
  const declared = new Set(variables.map(({ name }) => name))
  const used = [...prompt.matchAll(/\{\{\s*([A-Za-z_]\w{0,99})\s*\}\}/g)].map(([, name = '']) => name)
  return [...new Set(used)].filter((name) => !declared.has(name))
}

export function insertAt(text: string, { start, end }: { start: number; end: number }, inserted: string): string {
  return text.slice(0, start) + inserted + text.slice(end)
}
