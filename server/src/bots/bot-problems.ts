import { findSchemaProblem } from '../lib/json-schema.ts'
import type { BotConfig } from './bot-config.ts'
import type { BotTool } from './bot-tools.ts'

/** What keeps a configuration from answering, in words; drafts may be unfinished, versions not. */
export function findConfigProblem({ tools, mode, chatflowId, webhookUrl }: BotConfig): string | undefined {
  if (mode === 'chatflow' && chatflowId === '') return 'choose the chatflow that answers'
  if (webhookUrl !== '' && !isHttpUrl(webhookUrl)) return 'the webhook URL must be an http(s) URL'

  const twice = tools.find((tool, at) => tools.findIndex(({ name }) => name === tool.name) !== at)
  if (twice) return `two tools have the name ${twice.name}`
  for (const tool of tools) {
    const problem = findToolProblem(tool)
    if (problem !== undefined) return `the tool ${tool.name}: ${problem}`
  }
  return undefined
}

function findToolProblem(tool: BotTool): string | undefined {
  switch (tool.type) {
    case 'function':
      return findSchemaProblem(tool.parameters)
    case 'mcp':
      return isHttpUrl(tool.url) ? undefined : 'its URL must be an http(s) URL without user name and password'
    case 'openapi':
      return tool.baseUrl === undefined || isHttpUrl(tool.baseUrl) ? undefined : 'its base URL must be an http(s) URL'
  }
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}
