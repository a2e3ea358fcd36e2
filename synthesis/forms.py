from django import forms


class GenerateForm(forms.Form):
    count = forms.IntegerField(min_value=1, max_value=5000, label="Number of cases")
    seed = forms.IntegerField(min_value=0, max_value=2**31, initial=1, label="Seed")
