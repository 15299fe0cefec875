import { ReactFlowProvider, useReactFlow } from '@xyflow/react'
import { Drawer, Grid } from 'antd'
import { useEffect, useMemo, useState } from 'react'
import type { CanvasIssue, IssueGroup, Workflow } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { useCurrentUser } from '../../lib/current-user.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { layOutCanvas } from './canvas-layout.ts'
import { indexCanvas } from './canvas-model.ts'
import { portsOf } from './canvas-ports.ts'
import { sizeOf } from './canvas-shape.ts'
import { EditorBar } from './editor-bar.tsx'
import { useEditorPlace } from './editor-place.ts'
import type { EditorPlace, PlaceProps } from './editor-place.ts'
import { EditorRoomProvider, useEditorRoom, useEditorState } from './editor-room.ts'
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
import { createWorkflowStash } from './workflow-stash.ts'

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
  const { id: userId } = useCurrentUser()
  const [store] = useState(() => {
    const stash = createWorkflowStash({ userId, workflowId: workflow.id })
    return createEditorStore(workflow, { stash, save: (request) => saveWorkflow(workflow.id, request) })
  })
  useEffect(() => {
    void store.saveNow()
    return () => store.dispose()
  }, [store])
  const [place, setPlace] = useEditorPlace()
  const { selectedId } = place
  const [revision, setRevision] = useState(workflow.revision)
  useEffect(() => store.subscribe(() => setRevision(store.getState().stored.revision)), [store])

  const check = useCheck(workflow.id, revision)
  const groups = check.data?.groups
  const issues = groups?.find(({ workflow_id }) => workflow_id === null)?.issues ?? NO_ISSUES
  const room = useMemo(
    () => ({ workflowId: workflow.id, store, types, issues, selectedId, select: (nodeId?: string) => setPlace({ selectedId: nodeId }) }),
    [workflow.id, store, types, issues, selectedId, setPlace],
  )
  return (
    <EditorRoomProvider value={room}>
      <ReactFlowProvider>
        <Room groups={groups} checkError={check.error} place={place} setPlace={setPlace} />
      </ReactFlowProvider>
      <EditorLeaveGuard />
    </EditorRoomProvider>
  )
}

type Dialog = 'palette' | 'publish' | 'versions' | 'info' | 'unpublish'
type RoomProps = { groups: IssueGroup[] | undefined; checkError: unknown } & PlaceProps

function Room({ groups, checkError, place, setPlace }: RoomProps) {
  const { workflowId } = useEditorRoom()
  const isThere = useEditorState(({ canvas }) => indexCanvas(canvas).nodes.has(place.selectedId ?? ''))
  const [dialog, setDialog] = useState<Dialog>()
  const test = useTestRun(workflowId, { runId: place.runId, onRun: (runId) => setPlace({ runId }) })
  const marks = useMemo(() => toMarks(test.state.nodes.values()), [test.state.nodes])
  const fit = useFit()
  const arrange = useArrange(fit)
  useEditorKeys()

  const closeDialog = () => setDialog(undefined)
  const closePanel = () => setPlace({ panel: undefined })
  const show = (panel: EditorPlace['panel']) => setPlace({ panel, selectedId: undefined })
  const issueCount = groups?.reduce((sum, { issues }) => sum + issues.length, 0)
  const side = isThere ? 'node' : place.panel
  return (
    <div className={styles.editor}>
      <EditorBar
        issueCount={issueCount}
        onAdd={() => setDialog('palette')}
        onArrange={arrange}
        onIssues={() => show('issues')}
        onTest={() => {
          show('test')
          fit()
        }}
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
        <SidePlace isOpen={side !== undefined} onClose={() => (side === 'node' ? setPlace({ selectedId: undefined }) : closePanel())}>
          {side === 'node' && <NodePanel />}
          {/* stays while a node is looked at: the form keeps what was typed */}
          <div hidden={side !== 'test'}>{place.panel === 'test' && <TestRunPanel test={test} onClose={closePanel} />}</div>
          {side === 'issues' && <IssuesPanel groups={groups} error={checkError} onClose={closePanel} />}
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

/** Shows all of the canvas, as soon as what changes now is drawn. */
function useFit(): () => void {
  const { fitView } = useReactFlow()
  return () => requestAnimationFrame(() => void fitView({ padding: 0.15, maxZoom: 1 }))
}

function useArrange(fit: () => void): () => void {
  const { store, types } = useEditorRoom()
  const naming = usePortNaming()
  return () => {
    store.edit((canvas) => layOutCanvas(canvas, types, (node) => sizeOf(node, portsOf(node, types.get(node.type), naming))))
    fit()
  }
}
