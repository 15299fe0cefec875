import type { nodeCatalog } from '../../workflows/catalog/node-catalog.ts'
import { readInputs } from '../../workflows/canvas/canvas-inputs.ts'
import type { CanvasIssue } from '../../workflows/validation/canvas-issue.ts'
import type { WorkflowIssues } from '../../workflows/validation/validate-canvas.ts'
import type { Field, ValueType } from '../../workflows/values/value-type.ts'
import type { ListedVersion, ListedWorkflow, Workflow, WorkflowVersion } from '../../workflows/workflow-record.ts'
import { isSameDraft, revisionOf } from '../../workflows/workflows.ts'
import type { Version } from './agent-wire.ts'
import type {
  IssueGroup,
  NodeTypeInfo,
  SavedWorkflow,
  WireField,
  WireType,
  WorkflowDraft,
  WorkflowItem,
  WorkflowVersion as WireVersion,
  CanvasIssue as WireIssue,
} from './builder-workflow-wire.ts'

/** Workflows as the console's pages have them. */
export function toWorkflowItem(workflow: ListedWorkflow): WorkflowItem {
  const { id, name, description, iconUrl, mode, appId, live, createdAt, updatedAt } = workflow
  return {
    ...{ id, name, description, icon_url: iconUrl, mode, app_id: appId ?? null },
    ...{ version: live?.version ?? null, published_at: live?.publishedAt ?? null },
    ...{ created_at: createdAt, updated_at: updatedAt },
  }
}

/** Without the draft, which whoever saves it has. */
export function toSavedWorkflow(workflow: Workflow, live: WorkflowVersion | undefined): SavedWorkflow {
  return {
    id: workflow.id,
    revision: revisionOf(workflow),
    created_at: workflow.createdAt,
    updated_at: workflow.updatedAt,
    live: live ? { version: live.version, note: live.note, published_at: live.createdAt } : null,
    has_unpublished_changes: !live || !isSameDraft(workflow, live),
    inputs: readInputs(workflow.canvas)?.map(toField) ?? null,
  }
}

export function toDraft(workflow: Workflow | WorkflowVersion): WorkflowDraft {
  const { name, description, iconUrl, mode, onCrash, canvas } = workflow
  const appId = 'appId' in workflow ? workflow.appId : undefined
  return { name, description, icon_url: iconUrl, mode, app_id: appId ?? null, on_crash: onCrash, canvas }
}

export function toListedVersion(version: ListedVersion, workflow: Workflow): Version {
  const { note, name, createdAt } = version
  return { version: version.version, note, name, created_at: createdAt, is_live: version.id === workflow.liveVersionId }
}

export const toVersionDetail = (version: WorkflowVersion, workflow: Workflow): WireVersion => ({
  ...toListedVersion({ ...version, description: version.description }, workflow),
  draft: toDraft(version),
})

/** `name`: of the workflow that was checked. */
export function toIssueGroups(groups: WorkflowIssues[], name: string): IssueGroup[] {
  return groups.map((group) => ({
    workflow_id: group.workflowId ?? null,
    name: group.workflowId === undefined ? name : (group.name ?? ''),
    issues: group.issues.map(toIssue),
  }))
}

export function toNodeType({ portRule, hasInput, hasBody, onlyInBody, handlesErrors, canAdd, ...kind }: CatalogEntry): NodeTypeInfo {
  return {
    ...kind,
    ...{ port_rule: portRule, has_input: hasInput, has_body: hasBody, only_in_body: onlyInBody },
    ...{ handles_errors: handlesErrors, can_add: canAdd },
  }
}

type CatalogEntry = (typeof nodeCatalog)[number]

function toIssue({ nodeId, nodeTitle, edge, path, message }: CanvasIssue): WireIssue {
  return { node_id: nodeId ?? null, node_title: nodeTitle ?? '', edge: edge ?? null, path: path ?? '', message }
}

function toField({ name, type, required, description, defaultText }: Field): WireField {
  return { name, type: toType(type), required, description, default: defaultText ?? null }
}

function toType(type: ValueType): WireType {
  switch (type.kind) {
    case 'file':
      return { kind: 'file', file: type.file }
    case 'object':
      return { kind: 'object', ...(type.fields && { fields: type.fields.map(toField) }) }
    case 'list':
      return { kind: 'list', ...(type.element && { element: toType(type.element) }) }
    default:
      return { kind: type.kind }
  }
}
