import type { Core } from '../core.ts'
import { AppError } from '../lib/app-error.ts'
import { nodeTypes } from '../workflows/nodes/node-registry.ts'
import { checkWorkflow, describeIssues } from '../workflows/workflow-check.ts'
import type { Workflow, WorkflowVersion } from '../workflows/workflow-record.ts'
import { findWorkflow, findWorkflowByName, findWorkflowVersion } from '../workflows/workflow-store.ts'
import {
  createWorkflow,
  freezeWorkflow,
  hasUnpublishedChanges,
  isSameDraft,
  rollBackWorkflow,
  saveWorkflowDraft,
} from '../workflows/workflows.ts'
import { ownerIdOf } from './applied.ts'
import type { Applied } from './applied.ts'
import type { ManifestWorkflow } from './manifest-workflows.ts'

/**
 * To be called in a transaction: canvases are checked when all drafts and versions are as they should be, so that workflows find each
 * other whatever their order. Throws `invalid_request` that names the issues of all of them.
 */
export async function applyWorkflows(core: Core, wanted: ManifestWorkflow[]): Promise<Applied[]> {
  const saved: Saved[] = []
  for (const each of wanted) saved.push(await saveDraft(core, each))

  const applied: Applied[] = []
  for (const [at, each] of saved.entries()) applied.push(await publishIfDifferent(core, each, wanted[at]?.publish))
  await assertRunnable(core, saved)
  return applied
}

type Saved = Workflow & { change: Applied['change'] }

async function saveDraft(core: Core, { id, owner, publish: _later, ...wanted }: ManifestWorkflow): Promise<Saved> {
  const { name } = wanted
  const who = { userId: await ownerIdOf(core, { thing: `workflow ${name}`, owner }) }
  const existing = id === undefined ? await findWorkflowByName(core.db, who.userId, name) : await findWorkflow(core.db, id)
  if (existing && existing.ownerId !== who.userId) throw new AppError('conflict', `workflow ${existing.id} belongs to another user`)

  if (!existing) return { ...(await createWorkflow(core, who, { id, ...wanted })), change: 'created' }
  if (isSameDraft(existing, wanted) && existing.appId === wanted.appId) return { ...existing, change: 'unchanged' }
  return { ...(await saveWorkflowDraft(core, who, { workflowId: existing.id, ...wanted })), change: 'updated' }
}

async function publishIfDifferent(core: Core, workflow: Saved, publish: ManifestWorkflow['publish']): Promise<Applied> {
  const result: Applied = { kind: 'workflow', id: workflow.id, name: workflow.name, change: workflow.change }
  if (!publish || !(await hasUnpublishedChanges(core, workflow))) return result

  const who = { userId: workflow.ownerId }
  const version =
    (await goBackTo(core, workflow, publish.version)) ?? (await freezeWorkflow(core, who, { workflowId: workflow.id, ...publish }))
  return { ...result, published: version.version }
}

/** After a roll-back the manifest's version is there already, with just this content: it becomes the live one again. */
async function goBackTo(core: Core, workflow: Workflow, version: string | undefined): Promise<WorkflowVersion | undefined> {
  const known = version === undefined ? undefined : await findWorkflowVersion(core.db, workflow.id, version)
  if (!known || !isSameDraft(workflow, known)) return undefined
  return rollBackWorkflow(core, { userId: workflow.ownerId }, { workflowId: workflow.id, version: known.version })
}

async function assertRunnable({ db }: Core, workflows: Workflow[]): Promise<void> {
  const lines: string[] = []
  for (const workflow of workflows) lines.push(...describeIssues(workflow, await checkWorkflow({ db, nodeTypes }, workflow)))
  if (lines.length === 0) return

  // what keeps a workflow from running keeps those from running that call it: told once
  const told = [...new Set(lines)].join('\n')
  throw new AppError('invalid_request', `the manifest cannot be applied, nothing was changed: its canvases have issues\n${told}`)
}
