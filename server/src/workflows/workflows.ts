import { hash } from 'node:crypto'
import { mayUseWorkflow } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import { findApp } from '../bots/app-store.ts'
import { inTransaction } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'
import { toCanvasText } from './canvas/canvas-text.ts'
import { assertVersionName, nextVersionName } from './version-name.ts'
import {
  countVersions,
  countWorkflows,
  deleteWorkflowRows,
  findWorkflow,
  findWorkflowVersion,
  findWorkflowVersionById,
  insertWorkflow,
  insertWorkflowVersion,
  listVersionRows,
  listWorkflowRows,
  lockWorkflow,
  setLiveWorkflowVersion,
  updateWorkflow,
} from './workflow-store.ts'
import type { WorkflowFilter } from './workflow-store.ts'
import type { ListedVersion, ListedWorkflow, Workflow, WorkflowDraft, WorkflowVersion } from './workflow-record.ts'

export type WorkflowDeps = { db: Db; nextId: NextId; clock: Clock }

/** Another user's workflow does not exist. */
export async function getOwnWorkflow({ db }: Pick<WorkflowDeps, 'db'>, who: Principal, workflowId: string): Promise<Workflow> {
  const workflow = await findWorkflow(db, workflowId)
  if (workflow?.ownerId !== who.userId || !mayUseWorkflow(who, workflowId)) throw new AppError('not_found', 'workflow not found')
  return workflow
}

/** As callers of the API see it: what is live, or the draft where nothing is. `version` is empty for a draft. */
export async function getShownWorkflow(
  deps: Pick<WorkflowDeps, 'db'>,
  who: Principal,
  workflowId: string,
): Promise<Workflow & { version: string }> {
  const workflow = await getOwnWorkflow(deps, who, workflowId)
  const live = await findLiveVersion(deps, workflow)
  return { ...workflow, ...(live && draftOf(live)), version: live?.version ?? '' }
}

export type WantedDraft = WorkflowDraft & { appId: string | undefined }

/** A new draft. `id` may be given: manifests and imports fix theirs. */
export async function createWorkflow(
  deps: WorkflowDeps,
  who: Principal,
  { id, ...wanted }: WantedDraft & { id?: string },
): Promise<Workflow> {
  await assertOwnApp(deps.db, who, wanted.appId)
  const now = deps.clock()
  const workflow = {
    ...toDraft(wanted),
    ...{ id: id ?? deps.nextId(), ownerId: who.userId, appId: wanted.appId, liveVersionId: undefined, createdAt: now, updatedAt: now },
  }
  await insertWorkflow(deps.db, workflow)
  return workflow
}

/**
 * What is live stays as it is. The draft may be unfinished: publishing asks whether it can run. `revision`: what the draft must
 * still be, see `revisionOf`, else `conflict`.
 */
export async function saveWorkflowDraft(
  deps: WorkflowDeps,
  who: Principal,
  { workflowId, revision, ...wanted }: WantedDraft & { workflowId: string; revision?: string },
): Promise<Workflow> {
  return inTransaction(deps.db, async (db) => {
    await lockWorkflow(db, workflowId)
    const workflow = await getOwnWorkflow({ db }, who, workflowId)
    assertRevision(workflow, revision)
    await assertOwnApp(db, who, wanted.appId)
    await updateWorkflow(db, { ...workflow, ...toDraft(wanted), appId: wanted.appId, updatedAt: deps.clock() })
    return getOwnWorkflow({ db }, who, workflowId)
  })
}

/** Names what the draft is now: the same for as long as nobody changes it. */
export const revisionOf = (workflow: Workflow): string =>
  hash('sha256', `${fingerprint(workflow)}${workflow.appId ?? ''}`, 'base64url').slice(0, 22)

function assertRevision(workflow: Workflow, revision: string | undefined): void {
  if (revision !== undefined && revision !== revisionOf(workflow))
    throw new AppError(
      'conflict',
      'the draft has been changed elsewhere since you read it: nothing was saved. Read it again, or take yours over',
    )
}

function toDraft({ name, description, iconUrl, mode, onCrash, canvas, role }: WorkflowDraft): WorkflowDraft {
  return { name, description, iconUrl, mode, onCrash, canvas: toCanvasText(canvas), role }
}

async function assertOwnApp(db: Db, who: Principal, appId: string | undefined): Promise<void> {
  if (appId === undefined) return
  const app = await findApp(db, appId)
  if (app?.ownerId !== who.userId) throw new AppError('invalid_request', `app_id: there is no app ${appId}`)
}

/** Throws `invalid_request` that names every issue of the draft's canvas. */
export type AssertRunnable = (db: Db, workflow: Workflow) => Promise<void>

export type PublishRequest = {
  workflowId: string
  /** The next number when absent. */
  version?: string
  note?: string
  /** What the draft must still be. */
  revision?: string
}

/** Freezes the draft as a version and makes it the live one, when its canvas has no issues. */
export async function publishWorkflow(
  deps: WorkflowDeps & { assertRunnable: AssertRunnable },
  who: Principal,
  request: PublishRequest,
): Promise<WorkflowVersion> {
  return inTransaction(deps.db, async (tx) => {
    await lockWorkflow(tx, request.workflowId)
    const workflow = await getOwnWorkflow({ db: tx }, who, request.workflowId)
    assertRevision(workflow, request.revision)
    await deps.assertRunnable(tx, workflow)
    return freezeWorkflow({ ...deps, db: tx }, who, request)
  })
}

/** Publishes without asking whether the canvas can run: for one who asks that of several together. */
export async function freezeWorkflow(
  deps: WorkflowDeps,
  who: Principal,
  { workflowId, version, note }: PublishRequest,
): Promise<WorkflowVersion> {
  return inTransaction(deps.db, async (tx) => {
    // of two that publish at once, the second takes the next number
    await lockWorkflow(tx, workflowId)
    const workflow = await getOwnWorkflow({ db: tx }, who, workflowId)
    const frozen = {
      ...draftOf(workflow),
      ...{
        id: deps.nextId(),
        workflowId,
        version: version ?? (await nextFreeName(tx, workflowId)),
        note: note ?? '',
        createdAt: deps.clock(),
      },
    }
    assertVersionName(frozen.version)
    await insertWorkflowVersion(tx, frozen)
    await setLiveWorkflowVersion(tx, workflowId, { versionId: frozen.id, now: frozen.createdAt })
    return frozen
  })
}

async function nextFreeName(db: Db, workflowId: string): Promise<string> {
  const [newest] = await listVersionRows(db, workflowId, { offset: 0, limit: 1 })
  let name = nextVersionName(newest?.version)
  while (await findWorkflowVersion(db, workflowId, name)) name = nextVersionName(name)
  return name
}

/** Makes an earlier version the live one again; the draft is not touched. */
export async function rollBackWorkflow(
  deps: WorkflowDeps,
  who: Principal,
  { workflowId, version }: { workflowId: string; version: string },
): Promise<WorkflowVersion> {
  const { version: found } = await getWorkflowVersion(deps, who, { workflowId, version })
  await setLiveWorkflowVersion(deps.db, workflowId, { versionId: found.id, now: deps.clock() })
  return found
}

/** Throws `not_found`. */
export async function getWorkflowVersion(
  { db }: Pick<WorkflowDeps, 'db'>,
  who: Principal,
  { workflowId, version }: { workflowId: string; version: string },
): Promise<{ workflow: Workflow; version: WorkflowVersion }> {
  const workflow = await getOwnWorkflow({ db }, who, workflowId)
  const found = await findWorkflowVersion(db, workflowId, version)
  if (!found) throw new AppError('not_found', `workflow ${workflowId} has no version ${version}`)
  return { workflow, version: found }
}

/** What callers run now; undefined while the workflow is not published. */
export async function findLiveVersion({ db }: Pick<WorkflowDeps, 'db'>, workflow: Workflow): Promise<WorkflowVersion | undefined> {
  return workflow.liveVersionId === undefined ? undefined : findWorkflowVersionById(db, workflow.liveVersionId)
}

/** For good, with its versions. Throws `invalid_request` unless its name is given, so that no other is deleted by mistake. */
export async function deleteWorkflow(
  { db }: Pick<WorkflowDeps, 'db'>,
  who: Principal,
  { workflowId, name }: { workflowId: string; name: string },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockWorkflow(tx, workflowId)
    const workflow = await getOwnWorkflow({ db: tx }, who, workflowId)
    if (workflow.name !== name) throw new AppError('invalid_request', 'name: is not the name of this workflow: nothing was deleted')
    await deleteWorkflowRows(tx, workflowId)
  })
}

/** From now on callers hear that the workflow is not published; its versions stay. */
export async function unpublishWorkflow(deps: WorkflowDeps, who: Principal, workflowId: string): Promise<void> {
  await getOwnWorkflow(deps, who, workflowId)
  await setLiveWorkflowVersion(deps.db, workflowId, { versionId: undefined, now: deps.clock() })
}

/** Pages count from 1. */
export type Page = { page: number; size: number }
const toRange = ({ page, size }: Page) => ({ offset: (page - 1) * size, limit: size })

/** Newest first. */
export async function listWorkflows(
  { db }: Pick<WorkflowDeps, 'db'>,
  who: Principal,
  { page, size, ...wanted }: Omit<WorkflowFilter, 'ownerId' | 'ids'> & Page,
): Promise<{ workflows: ListedWorkflow[]; total: number }> {
  const filter = { ...wanted, ownerId: who.userId, ids: who.access?.workflowIds }
  const [workflows, total] = await Promise.all([listWorkflowRows(db, filter, toRange({ page, size })), countWorkflows(db, filter)])
  return { workflows, total }
}

/** Newest first. */
export async function listWorkflowVersions(
  { db }: Pick<WorkflowDeps, 'db'>,
  who: Principal,
  { workflowId, ...page }: { workflowId: string } & Page,
): Promise<{ versions: ListedVersion[]; total: number }> {
  await getOwnWorkflow({ db }, who, workflowId)
  const [versions, total] = await Promise.all([listVersionRows(db, workflowId, toRange(page)), countVersions(db, workflowId)])
  return { versions, total }
}

/** True when the draft is not what the live version is. */
export async function hasUnpublishedChanges({ db }: Pick<WorkflowDeps, 'db'>, workflow: Workflow): Promise<boolean> {
  if (workflow.liveVersionId === undefined) return true
  const live = await findWorkflowVersionById(db, workflow.liveVersionId)
  return !live || !isSameDraft(workflow, live)
}

/** True when both say the same to the letter. */
export const isSameDraft = (one: WorkflowDraft, other: WorkflowDraft): boolean => fingerprint(one) === fingerprint(other)

const fingerprint = (draft: WorkflowDraft): string => JSON.stringify(draftOf(draft))

function draftOf({ name, description, iconUrl, mode, onCrash, canvas, role }: WorkflowDraft): WorkflowDraft {
  return { name, description, iconUrl, mode, onCrash, canvas, role }
}
