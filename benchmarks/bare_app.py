"""The least a Streamlit app can be that draws a line: one native slider, one small chart."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

rate = st.slider("rate", 0.0, 1.0, 0.5, 0.005)
t = np.arange(31)
figure = go.Figure(go.Scatter(x=t, y=np.cos(t * rate)), layout={"height": 300})
st.plotly_chart(figure, key="chart")
