import type { BotVersion } from '../bots/bot-config.ts'
import { AppError } from '../lib/app-error.ts'
import type { ServerTool, ToolResult } from '../tools/server-tool.ts'
import { ToolFailure, createServerTool, failed } from '../tools/tool-call.ts'
import { takeName } from '../tools/tool-names.ts'
import { capText } from '../tools/tool-output.ts'
import { MAX_TOOLS } from '../tools/tool-set.ts'
import type { ToolSet } from '../tools/tool-set.ts'
import { toObjectSchema } from '../workflows/nodes/field-schema.ts'
import { parseJsonObject } from '../workflows/nodes/json-reply.ts'
import { resultText } from '../workflows/runs/workflow-run.ts'
import type { WorkflowRun } from '../workflows/runs/workflow-run.ts'
import { startWorkflowRun } from '../workflows/runs/start-workflow-run.ts'
import { parseValue, printValue } from '../workflows/values/value.ts'
import type { ValueObject } from '../workflows/values/value.ts'
import { PUBLISHED } from '../workflows/workflow-catalog.ts'
import type { RunnableWorkflow } from '../workflows/workflow-catalog.ts'
import { giveUpWaiting, ownerOf, partOf, untilEnded } from './workflow-part.ts'
import type { ChatPlace, ChatWorkflows } from './workflow-part.ts'

type Adding = ChatPlace & { bot: BotVersion; reservedNames: string[] }

/** The tools of a bot with its workflows among them. One that cannot be used is a problem, and the rest are there all the same. */
export async function addWorkflowTools(workflows: ChatWorkflows, { bot, reservedNames, ...place }: Adding, set: ToolSet): Promise<ToolSet> {
  const found = await Promise.all([...new Set(bot.config.workflows)].map((id) => findWorkflow(workflows, place, id)))
  const taken = new Set([...reservedNames, ...set.tools.map(({ name }) => name)])
  const added = found.flatMap((each) => ('problem' in each ? [] : [createWorkflowTool(workflows, place, { ...each, taken })]))

  const tools = [...set.tools, ...added]
  const problems = [...set.problems, ...found.flatMap((each) => ('problem' in each ? [each.problem] : []))]
  if (tools.length > MAX_TOOLS)
    problems.push(`with its workflows the bot has ${tools.length} tools, of which models get the first ${MAX_TOOLS}`)
  return { tools: tools.slice(0, MAX_TOOLS), problems }
}

type Found = { workflow: RunnableWorkflow } | { problem: string }

async function findWorkflow({ catalog, onError }: ChatWorkflows, { run }: ChatPlace, workflowId: string): Promise<Found> {
  try {
    return { workflow: await catalog.get(ownerOf(run), workflowId, PUBLISHED) }
  } catch (cause) {
    if (!(cause instanceof AppError)) onError(cause)
    return { problem: `workflow ${workflowId} cannot be used: ${cause instanceof AppError ? cause.message : 'it cannot be read'}` }
  }
}

type Naming = { workflow: RunnableWorkflow; taken: Set<string> }

function createWorkflowTool(workflows: ChatWorkflows, place: ChatPlace, { workflow, taken }: Naming): ServerTool {
  const { workflowId, name, description, inputs } = workflow
  const plan = {
    // a name without a letter that models take would say nothing
    name: takeName(taken, /[a-zA-Z]/.test(name) ? name : `workflow_${workflowId}`),
    description: description || name,
    parameters: toObjectSchema(inputs),
    onError: workflows.onError,
  }
  return createServerTool(plan, async (_args, signal, text) => {
    const parameters = parseJsonObject(text) ?? {}
    return toResult(await callWorkflow(workflows, place, { workflowId, parameters, signal }))
  })
}

type Call = { workflowId: string; parameters: ValueObject; signal: AbortSignal }

/** Its run, over; rejects with a ToolFailure where there is none. */
async function callWorkflow(workflows: ChatWorkflows, place: ChatPlace, { workflowId, parameters, signal }: Call): Promise<WorkflowRun> {
  const started = await startWorkflowRun(workflows, ownerOf(place.run), { ...partOf(place), workflowId, parameters, mode: 'sync' }).catch(
    (cause: unknown) => {
      throw cause instanceof AppError ? new ToolFailure(cause.message, { cause }) : cause
    },
  )
  const run = await untilEnded(workflows, started, signal)
  if (run.status === 'waiting') await giveUpWaiting(workflows, place.run, run)
  return run
}

function toResult(run: WorkflowRun): ToolResult {
  switch (run.status) {
    case 'succeeded':
      return { content: capText(run.isAnswer ? resultText(run) : printValue(parseValue(run.output))), isError: false }
    case 'waiting':
      return failed('the workflow asks a person, and nobody can answer it while it is a tool of a chat: it was stopped')
    case 'failed':
      return failed(run.error?.message ?? 'the workflow failed')
    default:
      return failed('the workflow was canceled')
  }
}
