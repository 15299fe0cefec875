import { ReactFlowProvider, useReactFlow } from '@xyflow/react'
import { Drawer, Grid } from 'antd'
import { useEffect, useMemo, useState } from 'react'
import type { CanvasIssue, IssueGroup, Workflow } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { layOutCanvas } from './canvas-layout.ts'
import { portsOf } from './canvas-ports.ts'
import { sizeOf } from './canvas-shape.ts'
import { EditorBar } from './editor-bar.tsx'
import { EditorRoomProvider, useEditorRoom } from './editor-room.ts'
import { EditorLeaveGuard, SaveTrouble } from './editor-save-state.tsx'
import { createEditorStore } from './editor-store.ts'
import { FlowCanvas } from './flow-canvas.tsx'
import { IssuesPanel } from './issues-panel.tsx'
import { NodePalette } from './node-palette.tsx'
import { NodePanel } from './node-panel.tsx'
import { PublishWorkflowDialog } from './publish-workflow-dialog.tsx'
import { toMarks } from './test-run-marks.ts'
import { TestRunPanel } from './test-run-panel.tsx'
import { TakeOffline } from './take-offline.tsx'
import { useEditorKeys } from './use-editor-keys.ts'
import { usePortNaming } from './use-port-naming.ts'
import { useTestRun } from './use-test-run.ts'
import { saveWorkflow, useCheck, useNodeTypes, useWorkflow } from './workflow-editor-queries.ts'
import type { NodeTypeMap } from './workflow-editor-queries.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'
import styles from './workflow-editor.module.css'
import { WorkflowHistory } from './workflow-history.tsx'
import { WorkflowInfoDialog } from './workflow-info-dialog.tsx'

/** Draws, checks, runs and publishes one workflow. */
export function WorkflowEditor({ workflowId }: { workflowId: string }) {
  const t = useTexts(workflowEditorTexts)
  const workflow = useWorkflow(workflowId)
  const types = useNodeTypes()
  const error = workflow.error ?? types.error
  if (workflow.data && types.data) return <OpenWorkflow workflow={workflow.data} types={types.data} />

  const retry = () => void Promise.all([workflow.refetch(), types.refetch()])
  return (
    <>
      <h1 className="unseen">{t('title')}</h1>
      {error ? <ErrorNotice error={error} onRetry={retry} /> : <PageLoading />}
    </>
  )
}

const NO_ISSUES: CanvasIssue[] = []

function OpenWorkflow({ workflow, types }: { workflow: Workflow; types: NodeTypeMap }) {
  const [store] = useState(() => createEditorStore(workflow, { save: (request) => saveWorkflow(workflow.id, request) }))
  useEffect(() => () => store.dispose(), [store])
  const [selectedId, setSelectedId] = useState<string>()
  const [revision, setRevision] = useState(workflow.revision)
  useEffect(() => store.subscribe(() => setRevision(store.getState().stored.revision)), [store])

  const check = useCheck(workflow.id, revision)
  const groups = check.data?.groups
  const issues = groups?.find(({ workflow_id }) => workflow_id === null)?.issues ?? NO_ISSUES
  const room = useMemo(
    () => ({ workflowId: workflow.id, store, types, issues, selectedId, select: setSelectedId }),
    [workflow.id, store, types, issues, selectedId],
  )
  return (
    <EditorRoomProvider value={room}>
      <ReactFlowProvider>
        <Room groups={groups} checkError={check.error} />
      </ReactFlowProvider>
      <EditorLeaveGuard />
    </EditorRoomProvider>
  )
}

type Panel = 'issues' | 'test'
type Dialog = 'palette' | 'publish' | 'versions' | 'info' | 'unpublish'
type RoomProps = { groups: IssueGroup[] | undefined; checkError: unknown }

function Room({ groups, checkError }: RoomProps) {
  const { workflowId, selectedId, select } = useEditorRoom()
  const [panel, setPanel] = useState<Panel>()
  const [dialog, setDialog] = useState<Dialog>()
  const test = useTestRun(workflowId)
  const marks = useMemo(() => toMarks(test.state.nodes.values()), [test.state.nodes])
  const arrange = useArrange()
  useEditorKeys()

  const closeDialog = () => setDialog(undefined)
  const show = (next: Panel) => {
    select(undefined)
    setPanel(next)
  }
  const issueCount = groups?.reduce((sum, { issues }) => sum + issues.length, 0)
  const side = selectedId !== undefined ? 'node' : panel
  return (
    <div className={styles.editor}>
      <EditorBar
        issueCount={issueCount}
        onAdd={() => setDialog('palette')}
        onArrange={arrange}
        onIssues={() => show('issues')}
        onTest={() => show('test')}
        onPublish={() => setDialog('publish')}
        onVersions={() => setDialog('versions')}
        onInfo={() => setDialog('info')}
        onUnpublish={() => setDialog('unpublish')}
      />
      <SaveTrouble />
      <div className={styles.room}>
        <div className={styles.drawing}>
          <FlowCanvas marks={marks} />
        </div>
        <SidePlace isOpen={side !== undefined} onClose={() => (side === 'node' ? select(undefined) : setPanel(undefined))}>
          {side === 'node' && <NodePanel />}
          {/* stays while a node is looked at: the form keeps what was typed */}
          <div hidden={side !== 'test'}>{panel === 'test' && <TestRunPanel test={test} onClose={() => setPanel(undefined)} />}</div>
          {side === 'issues' && <IssuesPanel groups={groups} error={checkError} onClose={() => setPanel(undefined)} />}
        </SidePlace>
      </div>
      <NodePalette open={dialog === 'palette'} onClose={closeDialog} />
      <PublishWorkflowDialog open={dialog === 'publish'} groups={groups} onClose={closeDialog} onShowIssues={() => show('issues')} />
      <WorkflowHistory open={dialog === 'versions'} onClose={closeDialog} />
      <WorkflowInfoDialog open={dialog === 'info'} onClose={closeDialog} />
      <TakeOffline open={dialog === 'unpublish'} onClose={closeDialog} />
    </div>
  )
}

type SidePlaceProps = { isOpen: boolean; onClose: () => void; children: React.ReactNode }

/** Beside the canvas, or over it where there is no room. */
function SidePlace({ isOpen, onClose, children }: SidePlaceProps) {
  const t = useTexts(workflowEditorTexts)
  const { lg = true } = Grid.useBreakpoint()
  if (lg) {
    return (
      <aside className={styles.side} hidden={!isOpen} aria-label={t('side')}>
        {children}
      </aside>
    )
  }
  return (
    <Drawer
      open={isOpen}
      onClose={onClose}
      placement="bottom"
      size="75%"
      closable={false}
      mask={false}
      forceRender
      aria-label={t('side')}
      styles={{ body: { padding: 0 } }}
    >
      {children}
    </Drawer>
  )
}

function useArrange(): () => void {
  const { store, types } = useEditorRoom()
  const naming = usePortNaming()
  const { fitView } = useReactFlow()
  return () => {
    store.edit((canvas) => layOutCanvas(canvas, types, (node) => sizeOf(node, portsOf(node, types.get(node.type), naming))))
    // when it is drawn
    requestAnimationFrame(() => void fitView({ padding: 0.15, maxZoom: 1 }))
  }
}
