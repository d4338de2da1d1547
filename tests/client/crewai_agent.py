"""A crew behind the gate with a scripted model: ``python crewai_agent.py native|react LEDGER``; the dialect runs it.

What its tool did is appended to the ledger; what the model was told is printed.
"""

import json
import os
import sys
from pathlib import Path

from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import tool

from signoff import Signoff
from signoff.crewai import Gate

MODE, LEDGER = sys.argv[1:]
NAME, ARGUMENTS = os.environ["TOOL"], json.loads(os.environ["ARGUMENTS"])


class Script(BaseLLM):
    """Calls one tool, then says what it was told."""

    def call(self, messages, tools=None, callbacks=None, available_functions=None, **more):
        seen = "Observation:"
        told = [str(message["content"]) for message in messages if message["role"] in ("tool", "assistant")]
        said = [words.split(seen)[-1] for words in told if MODE == "native" or seen in words]
        if said:
            return f"Thought: I now know the final answer\nFinal Answer: It said: {said[-1]}"
        if MODE == "native":
            call = {"name": NAME, "arguments": json.dumps(ARGUMENTS)}
            return [{"id": "call_1", "type": "function", "function": call}]
        return f"Thought: refund\nAction: {NAME}\nAction Input: {json.dumps(ARGUMENTS)}"

    def supports_function_calling(self):
        return MODE == "native"


@tool(NAME)
def refund(order_id: str, amount: float) -> str:
    """Give a customer money back."""
    with Path(LEDGER).open("a") as ledger:
        ledger.write(json.dumps([order_id, amount]) + "\n")
    if "FAILS" in os.environ:
        raise LookupError("no such order")
    return f"refunded {amount:g} for {order_id}"


def main() -> None:
    with Signoff(run=os.environ["RUN"], patience=float(os.environ["PATIENCE"])) as client:
        agent = Agent(role="clerk", goal="g", backstory="b", llm=Script(model="script"), tools=[refund], max_iter=4)
        task = Task(description="Refund the vase", expected_output="words", agent=agent)
        crew = Gate(client).crew(Crew(agents=[agent], tasks=[task]))
        print(json.dumps({"said": str(crew.kickoff())}), flush=True)


main()
