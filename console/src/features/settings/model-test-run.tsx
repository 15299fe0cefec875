import { ThunderboltOutlined } from '@ant-design/icons'
import { Alert, Button } from 'antd'
import { useEffect, useRef } from 'react'
import type { ModelTest, ModelTested } from '../../../../server/src/http/console/model-wire.ts'
import { formatDuration } from '../../lib/format.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { useTestModel } from './settings-queries.ts'
import { settingsTexts } from './settings-texts.ts'

export type ModelTestRunProps = {
  /** What to test; undefined when it is not complete, which then is said elsewhere. */
  read: () => Promise<ModelTest | undefined>
  startsAtOnce?: boolean
}

/** Tries a model, and says what came of it. */
export function ModelTestRun({ read, startsAtOnce = false }: ModelTestRunProps) {
  const t = useTexts(settingsTexts)
  const { mutate, data, error, isPending, isIdle } = useTestModel()
  const isStarted = useRef(false)

  const start = async () => {
    const wanted = await read()
    if (wanted) mutate(wanted)
  }
  useEffect(() => {
    if (!startsAtOnce || isStarted.current) return
    isStarted.current = true
    void start()
  })

  return (
    <div className="stack" aria-busy={isPending}>
      <div>
        <Button icon={<ThunderboltOutlined aria-hidden />} loading={isPending} onClick={() => void start()}>
          {isIdle || isPending ? t('models.test') : t('models.test_again')}
        </Button>
        {isPending && <span className="quiet"> {t('models.testing')}</span>}
      </div>
      <ErrorNotice error={error} />
      {data && <Outcome tested={data} />}
    </div>
  )
}

function Outcome({ tested }: { tested: ModelTested }) {
  const t = useTexts(settingsTexts)
  if (!tested.ok) {
    const { kind, message } = tested
    return <Alert role="alert" type="error" showIcon title={t(`models.failure.${kind}`)} description={<span dir="auto">{message}</span>} />
  }
  return (
    <Alert
      role="status"
      type="success"
      showIcon
      title={t('models.works', { time: formatDuration(tested.latency_ms) })}
      description={<span dir="auto">{t('models.answer', { text: tested.answer })}</span>}
    />
  )
}
