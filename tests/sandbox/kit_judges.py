"""What two public libraries say of the same blocks: slack_sdk's models and slackblocks, as far as they know them."""

import copy
import logging
from collections.abc import Callable
from typing import Any, Literal

import slackblocks
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block, BlockElement
from slack_sdk.models.views import View

Json = dict[str, Any]
Verdict = Literal["accepts", "refuses", "unknown"]

_CLASSES: dict[str, str] = {
    "plain_text": "PlainText",
    "mrkdwn": "Markdown",
    "header": "HeaderBlock",
    "section": "SectionBlock",
    "context": "ContextBlock",
    "actions": "ActionsBlock",
    "divider": "DividerBlock",
    "input": "InputBlock",
    "markdown": "MarkdownBlock",
    "table": "TableBlock",
    "alert": "AlertBlock",
    "card": "CardBlock",
    "carousel": "CarouselBlock",
    "container": "ContainerBlock",
    "context_actions": "ContextActionsBlock",
    "data_table": "DataTableBlock",
    "data_visualization": "DataVisualizationBlock",
    "plan": "PlanBlock",
    "task_card": "TaskCardBlock",
    "video": "VideoBlock",
    "button": "Button",
    "overflow": "OverflowMenu",
    "static_select": "StaticSelectMenu",
    "external_select": "ExternalSelectMenu",
    "multi_static_select": "StaticMultiSelectMenu",
    "users_select": "UserSelectMenu",
    "checkboxes": "CheckboxGroup",
    "radio_buttons": "RadioButtonGroup",
    "plain_text_input": "PlainTextInput",
    "number_input": "NumberInput",
    "email_text_input": "EmailInput",
    "url_text_input": "URLInput",
    "file_input": "FileInput",
    "datepicker": "DatePicker",
    "timepicker": "TimePicker",
    "datetimepicker": "DateTimePicker",
    "raw_text": "RawText",
    "raw_number": "RawNumber",
    "feedback_buttons": "FeedbackButtons",
    "icon_button": "IconButton",
    "pie": "PieChart",
}
_INNER = {
    "confirm": "ConfirmationDialogue",
    "options": "Option",
    "initial_option": "Option",
    "initial_options": "Option",
    "option_groups": "OptionGroup",
    "positive_button": "FeedbackButton",
    "negative_button": "FeedbackButton",
    "segments": "ChartSegment",
    "tasks": "TaskCardBlock",
}
"""Objects without a type, by the field that they stand in."""

_RENAMED = {"initial_date_time": "initial_datetime"}


class _Unknown(Exception):
    pass


def slackblocks_says(surface: str, sent: Json) -> Verdict:
    """Build the block from slackblocks' own classes, put it on the surface, and see whether it minds."""

    def make() -> None:
        block = _built(sent, "")
        if surface == "message":
            slackblocks.Message(channel="C1", text="x", blocks=block).to_dict()
        elif surface == "modal":
            slackblocks.ModalView(title="x", submit="x", blocks=[block]).to_dict()
        else:
            slackblocks.HomeTabView(blocks=[block]).to_dict()

    return _verdict(make)


def slack_sdk_says(surface: str, sent: Json) -> Verdict:
    """Parse the block (or the view) with slack_sdk's models and let them check themselves."""
    logging.getLogger("slack_sdk").setLevel(logging.ERROR)

    def make() -> None:
        if surface == "view":
            View(**copy.deepcopy(sent)).to_dict()
            return
        block = Block.parse(copy.deepcopy(sent))
        if block is None or _holds_unknown(block):
            raise _Unknown
        block.to_dict()

    return _verdict(make)


def _verdict(make: Callable[[], None]) -> Verdict:
    try:
        make()
    except _Unknown:
        return "unknown"
    except (slackblocks.InvalidUsageError, SlackObjectFormationError, TypeError, ValueError, AttributeError):
        return "refuses"
    return "accepts"


def _holds_unknown(block: Block) -> bool:
    inner = getattr(block, "element", getattr(block, "accessory", "none"))
    return inner is None and not isinstance(inner, BlockElement) and block.type == "input"


def _built(value: Any, place: str) -> Any:
    if isinstance(value, list):
        return [_built(entry, place) for entry in value]
    if not isinstance(value, dict):
        return value
    name = _CLASSES.get(value.get("type", ""), "") or _INNER.get(place, "")
    if value.get("type") == "image":
        name = "Image" if place in ("accessory", "elements", "hero_image", "icon") else "ImageBlock"
    if not name:
        raise _Unknown
    names: list[str] = [key for key in value if key != "type"]
    fields: Json = {_RENAMED.get(key, key): _built(value[key], key) for key in names}
    return getattr(slackblocks, name)(**fields)
