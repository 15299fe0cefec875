import { parse as parseYaml } from 'yaml'
import { botConfigSchema } from '../../bots/bot-config.ts'
import type { Bot, BotConfig, BotProfile, BotVersion } from '../../bots/bot-config.ts'
import type { BotOverview } from '../../bots/bot-list-store.ts'
import { changeBotTools } from '../../bots/bot-tool-changes.ts'
import type { ToolChange } from '../../bots/bot-tool-changes.ts'
import type { BotTool } from '../../bots/bot-tools.ts'
import { isDraftOf, revisionOf } from '../../bots/bots.ts'
import type { Draft } from '../../bots/bots.ts'
import { AppError } from '../../lib/app-error.ts'
import { isRecord } from '../../lib/json-schema.ts'
import type { SecretBox } from '../../lib/secret-box.ts'
import type { Agent, AgentDiff, AgentDraft, AgentItem, AgentTool, Version } from './agent-wire.ts'

/** Agents as the console's pages have them. No value of a header leaves this file. */
export function toAgent(bot: Bot, live: BotVersion | undefined): Agent {
  return {
    id: bot.id,
    draft: toDraftView(bot, bot.draft),
    revision: revisionOf(bot),
    created_at: bot.createdAt,
    updated_at: bot.updatedAt,
    live: live ? { version: live.version, note: live.note, published_at: live.createdAt } : null,
    has_unpublished_changes: !live || !isDraftOf(bot, live),
  }
}

export function toAgentItem(bot: BotOverview): AgentItem {
  return {
    ...{ id: bot.id, name: bot.name, description: bot.description, icon_url: bot.iconUrl },
    ...{ version: bot.live?.version ?? null, published_at: bot.live?.publishedAt ?? null },
    ...{ created_at: bot.createdAt, updated_at: bot.updatedAt, last_call_at: bot.lastCallAt ?? null },
  }
}

export function toVersion(version: BotVersion, bot: Bot): Version {
  const { name, note, createdAt } = version
  return { version: version.version, note, name, created_at: createdAt, is_live: version.id === bot.liveVersionId }
}

export function toDraftView({ name, description, iconUrl }: BotProfile, config: BotConfig): AgentDraft {
  const { parameters, onboarding } = config
  return {
    ...{ name, description, icon_url: iconUrl, prompt: config.prompt, model: config.model },
    parameters: {
      temperature: parameters.temperature ?? null,
      top_p: parameters.topP ?? null,
      max_tokens: parameters.maxTokens ?? null,
      presence_penalty: parameters.presencePenalty ?? null,
      frequency_penalty: parameters.frequencyPenalty ?? null,
      response_format: parameters.responseFormat ?? null,
      history_rounds: parameters.historyRounds,
    },
    onboarding: { prologue: onboarding.prologue, suggested_questions: onboarding.suggestedQuestions },
    suggest_replies: config.suggestReplies,
    variables: config.variables,
    tools: config.tools.map(toToolView),
    ...{ workflows: config.workflows, mode: config.mode, chatflow_id: config.chatflowId },
    ...{ webhook_url: config.webhookUrl, shortcuts: config.shortcuts },
  }
}

/** Throws `invalid_request` for what the draft cannot be. Headers without a value keep the one that `stored` has. */
export function toDraft(secrets: SecretBox, wire: AgentDraft, stored: BotTool[]): Draft {
  const { parameters, onboarding } = wire
  const config = botConfigSchema.parse({
    ...{ prompt: wire.prompt, model: wire.model, suggestReplies: wire.suggest_replies, variables: wire.variables },
    parameters: {
      temperature: parameters.temperature ?? undefined,
      topP: parameters.top_p ?? undefined,
      maxTokens: parameters.max_tokens ?? undefined,
      presencePenalty: parameters.presence_penalty ?? undefined,
      frequencyPenalty: parameters.frequency_penalty ?? undefined,
      responseFormat: parameters.response_format ?? undefined,
      historyRounds: parameters.history_rounds,
    },
    onboarding: { prologue: onboarding.prologue, suggestedQuestions: onboarding.suggested_questions },
    tools: changeBotTools(secrets, wire.tools.map(toToolChange), stored),
    ...{ workflows: wire.workflows, mode: wire.mode, chatflowId: wire.chatflow_id },
    ...{ webhookUrl: wire.webhook_url, shortcuts: wire.shortcuts },
  })
  return { name: wire.name, description: wire.description, iconUrl: wire.icon_url, config }
}

/** What publishing would change. */
export function diffDraft(bot: Bot, live: BotVersion | undefined): AgentDiff {
  const after = toParts(bot, bot.draft)
  const before = live && toParts(live, live.config)
  const changes = [...after].flatMap(([path, part]) => {
    const old = before?.get(path)
    return old?.stored === part.stored ? [] : [{ path, before: old?.shown ?? null, after: part.shown }]
  })
  return { version: live?.version ?? null, changes }
}

/** `stored` tells also headers apart, of which nothing is shown. */
type Part = { shown: unknown; stored: string }

function toParts(profile: BotProfile, config: BotConfig): Map<string, Part> {
  const { parameters, onboarding, tools, ...rest } = toDraftView(profile, config)
  const plain = { ...rest, ...prefixed('parameters', parameters), ...prefixed('onboarding', onboarding) }
  const parts = Object.entries(plain).map(([path, shown]): [string, Part] => [path, { shown, stored: JSON.stringify(shown) }])
  return new Map([...parts, ['tools', { shown: tools, stored: JSON.stringify(config.tools) }]])
}

const prefixed = (prefix: string, fields: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${prefix}.${name}`, value]))

function toToolView(tool: BotTool): AgentTool {
  if (tool.type === 'function') return tool
  const { name, timeoutMs: timeout_ms, sealedHeaders } = tool
  const shared = { name, timeout_ms, headers: Object.keys(sealedHeaders).map((header) => ({ name: header, value: null })) }
  if (tool.type === 'mcp') return { type: 'mcp', url: tool.url, allow: tool.allow ?? null, ...shared }
  return { type: 'openapi', document: tool.document, base_url: tool.baseUrl ?? '', operations: tool.operations ?? null, ...shared }
}

function toToolChange(tool: AgentTool): ToolChange {
  if (tool.type === 'function') return tool
  const headers = tool.headers.map(({ name, value }) => ({ name, value: value ?? undefined }))
  const shared = { name: tool.name, timeoutMs: tool.timeout_ms, headers }
  if (tool.type === 'mcp') return { type: 'mcp', url: tool.url, allow: tool.allow ?? undefined, ...shared }
  const { document, base_url: baseUrl, operations } = tool
  return {
    type: 'openapi',
    document: readDocument(document),
    baseUrl: baseUrl || undefined,
    operations: operations ?? undefined,
    ...shared,
  }
}

/** YAML, of which JSON is a part. */
function readDocument(document: Record<string, unknown> | string): Record<string, unknown> {
  const parsed = typeof document === 'string' ? parseDocument(document) : document
  if (isRecord(parsed)) return parsed
  throw new AppError('invalid_request', 'tools: the document cannot be read: give an OpenAPI document as YAML or JSON')
}

function parseDocument(text: string): unknown {
  try {
    return parseYaml(text) as unknown
  } catch {
    return undefined
  }
}
