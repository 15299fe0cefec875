import { Command } from 'commander'
import type { Core } from '../core.ts'
import { AppError } from '../lib/app-error.ts'
import { toCanvasText } from '../workflows/canvas/canvas-text.ts'
import { nodeTypes } from '../workflows/nodes/node-registry.ts'
import { assertRunnable, checkWorkflow, describeIssues } from '../workflows/workflow-check.ts'
import { countWorkflows, findWorkflow, listWorkflowRows } from '../workflows/workflow-store.ts'
import type { ListedWorkflow, Workflow } from '../workflows/workflow-record.ts'
import {
  hasUnpublishedChanges,
  listWorkflowVersions,
  publishWorkflow,
  rollBackWorkflow,
  unpublishWorkflow,
} from '../workflows/workflows.ts'
import { print, printJson, printTable, recordCommand, toDate, withCore } from './command-core.ts'
import { readCanvasFile } from './manifest-workflows.ts'

type JsonOption = { json?: boolean }

/** The operator acts for a workflow's owner. */
export const workflowsCommand = () =>
  new Command('workflows')
    .description('Check and publish workflows, and go back to earlier versions')
    .addCommand(listCommand())
    .addCommand(versionsCommand())
    .addCommand(publishCommand())
    .addCommand(unpublishCommand())
    .addCommand(rollBackCommand())
    .addCommand(validateCommand())

const listCommand = () =>
  new Command('list').option('--json').action(async (options: JsonOption) =>
    withCore(async ({ db }) => {
      const workflows = await listWorkflowRows(db, {}, { offset: 0, limit: await countWorkflows(db, {}) })
      const rows: Awaited<ReturnType<typeof toRow>>[] = []
      for (const workflow of workflows.reverse()) rows.push(await toRow(db, workflow))
      if (options.json) printJson(rows)
      else printTable(rows, 'There are no workflows yet: describe one in a manifest and run `coze-plus apply -f FILE`.')
    }),
  )

async function toRow(db: Core['db'], { id, name, mode, ownerId, live }: ListedWorkflow) {
  const workflow = await findWorkflow(db, id)
  const differs = workflow && live ? await hasUnpublishedChanges({ db }, workflow) : false
  const state = live ? `published ${live.version}${differs ? ', draft differs' : ''}` : 'draft'
  return { id, name, mode, owner_id: ownerId, state }
}

const PAGE = 1_000

const versionsCommand = () =>
  new Command('versions')
    .argument('<workflow_id>')
    .option('--json')
    .action(async (workflowId: string, options: JsonOption) =>
      withWorkflow(workflowId, async (core, workflow) => {
        const { versions } = await listWorkflowVersions(core, ownerOf(workflow), { workflowId: workflow.id, page: 1, size: PAGE })
        const rows = versions.map((each) => ({
          version: each.version,
          live: each.id === workflow.liveVersionId ? 'live' : '',
          published: toDate(each.createdAt, ''),
          note: each.note,
        }))
        if (options.json) printJson(rows)
        else printTable(rows, 'Nothing is published yet: run `coze-plus workflows publish`.')
      }),
    )

const publishCommand = () =>
  new Command('publish')
    .description('Make the draft the live version')
    .argument('<workflow_id>')
    .option('--version <name>', 'the next number when absent')
    .option('--note <text>')
    .action(async (workflowId: string, options: { version?: string; note?: string }) =>
      withWorkflow(workflowId, async (core, workflow) => {
        const deps = { ...core, assertRunnable: (db: Core['db'], draft: Workflow) => assertRunnable({ db, nodeTypes }, draft) }
        const published = await publishWorkflow(deps, ownerOf(workflow), { workflowId: workflow.id, ...options })
        await recordCommand(core, { action: 'workflow.publish', target: targetOf(workflow), details: { version: published.version } })
        print(`Published ${workflow.name} ${published.version}.`)
      }),
    )

const unpublishCommand = () =>
  new Command('unpublish')
    .description('Take the workflow out of the API; its versions stay')
    .argument('<workflow_id>')
    .action(async (workflowId: string) =>
      withWorkflow(workflowId, async (core, workflow) => {
        await unpublishWorkflow(core, ownerOf(workflow), workflow.id)
        await recordCommand(core, { action: 'workflow.unpublish', target: targetOf(workflow) })
        print(`Unpublished ${workflow.name}.`)
      }),
    )

const rollBackCommand = () =>
  new Command('rollback')
    .description('Make an earlier version the live one')
    .argument('<workflow_id>')
    .argument('<version>')
    .action(async (workflowId: string, version: string) =>
      withWorkflow(workflowId, async (core, workflow) => {
        await rollBackWorkflow(core, ownerOf(workflow), { workflowId: workflow.id, version })
        await recordCommand(core, { action: 'workflow.roll_back', target: targetOf(workflow), details: { version } })
        print(`${workflow.name} is at ${version} again.`)
      }),
    )

const validateCommand = () =>
  new Command('validate')
    .description('Say what keeps the canvas in a file from running; workflows that it calls are looked up in the database')
    .argument('<file>')
    .action(async (file: string) =>
      withCore(async ({ db }) => {
        const canvas = toCanvasText(await readCanvasFile(file))
        const lines = describeIssues({ name: file }, await checkWorkflow({ db, nodeTypes }, { canvas }))
        if (lines.length > 0) throw new AppError('invalid_request', `the canvas has issues:\n${lines.join('\n')}`)
        print(`${file} has no issues.`)
      }),
    )

const targetOf = (workflow: Workflow) => ({ kind: 'workflow', id: workflow.id })
const ownerOf = (workflow: Workflow) => ({ userId: workflow.ownerId })

function withWorkflow(workflowId: string, work: (core: Core, workflow: Workflow) => Promise<void>): Promise<void> {
  return withCore(async (core) => {
    const workflow = /^\d{1,19}$/.test(workflowId) ? await findWorkflow(core.db, workflowId) : undefined
    if (!workflow) throw new AppError('not_found', `there is no workflow ${workflowId}: see \`coze-plus workflows list\``)
    await work(core, workflow)
  })
}
