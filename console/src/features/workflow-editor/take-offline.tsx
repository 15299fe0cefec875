import { App } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import { useUnpublishWorkflow } from './workflow-editor-queries.ts'
import { workflowReleaseTexts } from './workflow-release-texts.ts'

/** API calls end; the draft and the versions stay. */
export function TakeOffline({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts(workflowReleaseTexts)
  const { message } = App.useApp()
  const { workflowId, store } = useEditorRoom()
  const name = useEditorState(({ info }) => info.name)
  const unpublish = useUnpublishWorkflow(workflowId)
  const confirm = async () => {
    const { draft, ...stored } = await unpublish.mutateAsync()
    store.noteStored({ ...stored, revision: store.getState().stored.revision })
    void message.success(t('publish.offline_done'))
  }
  return (
    <ConfirmDanger
      open={open}
      title={t('publish.offline_title', { name })}
      consequence={t('publish.offline_hint')}
      action={t('publish.offline')}
      onConfirm={confirm}
      onClose={onClose}
    />
  )
}
