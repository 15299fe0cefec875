import { KeyOutlined } from '@ant-design/icons'
import { Button, Input } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { agentApiTexts } from './agent-api-texts.ts'
import styles from './agent-api.module.css'
import { KEY_PLACEHOLDER } from './masked-key.ts'

export type KeyPartProps = { apiKey: string; onChange: (apiKey: string) => void; onMake: () => void }

/** The key that the rest of the page uses. */
export function KeyPart({ apiKey, onChange, onMake }: KeyPartProps) {
  const t = useTexts(agentApiTexts)
  return (
    <section className={styles.part}>
      <h2>{t('key.title')}</h2>
      <p className={styles.hint}>{t('key.hint')}</p>
      <div className={styles.key}>
        <Input.Password
          className={styles.field}
          value={apiKey}
          placeholder={KEY_PLACEHOLDER}
          aria-label={t('key.field')}
          autoComplete="off"
          spellCheck={false}
          onChange={({ target }) => onChange(target.value.trim())}
        />
        {apiKey === '' ? (
          <Button type="primary" icon={<KeyOutlined aria-hidden />} onClick={onMake}>
            {t('key.make')}
          </Button>
        ) : (
          <Button onClick={() => onChange('')}>{t('key.forget')}</Button>
        )}
      </div>
      <p className={styles.hint} style={{ margin: '8px 0 0' }}>
        {apiKey === '' ? t('key.placeholder_note', { placeholder: KEY_PLACEHOLDER }) : t('key.in_copies')}
      </p>
    </section>
  )
}
