import { Button } from 'antd'
import styles from './preview-chat.module.css'

export type QuestionButtonsProps = { label: string; questions: string[]; onAsk: (question: string) => void }

/** Questions to ask with one press. */
export function QuestionButtons({ label, questions, onAsk }: QuestionButtonsProps) {
  return (
    <ul className={styles.questions} aria-label={label}>
      {[...new Set(questions)].map((question) => (
        <li key={question}>
          <Button className={styles.questionButton} onClick={() => onAsk(question)} dir="auto">
            {question}
          </Button>
        </li>
      ))}
    </ul>
  )
}
