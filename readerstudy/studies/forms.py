"""Forms about the design of a study."""

from django import forms

from readerstudy.studies.templates.registry import TEMPLATES

READER_TITLE_HINT = (
    "Readers see this on every page. It must not tell what is compared: no generator, no share "
    "of classes, no expected result."
)


class NewStudyForm(forms.Form):
    """A study from a template."""

    template = forms.ChoiceField(
        choices=[(key, template.name) for key, template in TEMPLATES.items()],
        widget=forms.RadioSelect,
    )
    name = forms.CharField(max_length=120, help_text="For the staff; readers never see it.")
    reader_title = forms.CharField(
        max_length=120, label="Title for readers", help_text=READER_TITLE_HINT
    )


class DescribeForm(forms.Form):
    """What a draft says of itself, to the staff and to readers."""

    name = forms.CharField(max_length=120, help_text="For the staff; readers never see it.")
    reader_title = forms.CharField(
        max_length=120, label="Title for readers", help_text=READER_TITLE_HINT
    )
    instructions = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text="Shown before the first case. A blank line begins a paragraph.",
    )
    margin_points = forms.FloatField(
        min_value=0.1,
        max_value=49.9,
        label="Equivalence margin, points",
        help_text="Accuracy within 50 % ± this margin counts as not better than guessing.",
    )
    programme = forms.CharField(
        required=False,
        max_length=80,
        help_text="Sessions that judge one generator while it is trained share this name; their "
        "history is shown together. Empty for a study of its own.",
    )
    checkpoint = forms.CharField(
        required=False,
        max_length=120,
        help_text="Of a session: the state of the generator that is judged, such as “epoch 40”. "
        "For the staff.",
    )
